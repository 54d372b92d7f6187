// Stages of transforms whose length is a power of two. Needs stockham.wgsl.
alias Registers = array<Complex, 8>;

// The radix is uniform.
fn run_stage(thread: u32, radix: u32, stage: Stage) {
    switch (radix) {
        case 8u: {
            stage8(thread, stage);
        }
        case 4u: {
            stage4(thread, stage);
        }
        default: {
            stage2(thread, stage);
        }
    }
}

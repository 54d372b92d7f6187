// Stages of transforms whose length is a product of 2, 3, 5, 7, 11 and 13. Needs stockham.wgsl.
alias Registers = array<Complex, 14>;

// Transform of three points.
fn dft3(v: ptr<function, Registers>, at: u32) {
    let sum = (*v)[at + 1u] + (*v)[at + 2u];
    let difference = times_minus_i((*v)[at + 1u] - (*v)[at + 2u]) * Real(0.86602540378443864676);
    let t = (*v)[at] - sum * Real(0.5);
    (*v)[at] += sum;
    (*v)[at + 1u] = t + difference;
    (*v)[at + 2u] = t - difference;
}

// Transform of five points: c and s are the cosines and sines of 72° and 144°.
fn dft5(v: ptr<function, Registers>, at: u32) {
    let c1 = Real(0.30901699437494742410);
    let c2 = Real(-0.80901699437494742410);
    let s1 = Real(0.95105651629515357212);
    let s2 = Real(0.58778525229247312917);
    let z = (*v)[at];
    let sum1 = (*v)[at + 1u] + (*v)[at + 4u];
    let sum2 = (*v)[at + 2u] + (*v)[at + 3u];
    let difference1 = (*v)[at + 1u] - (*v)[at + 4u];
    let difference2 = (*v)[at + 2u] - (*v)[at + 3u];
    let t1 = z + sum1 * c1 + sum2 * c2;
    let t2 = z + sum1 * c2 + sum2 * c1;
    let u1 = times_minus_i(difference1 * s1 + difference2 * s2);
    let u2 = times_minus_i(difference1 * s2 - difference2 * s1);
    (*v)[at] = z + sum1 + sum2;
    (*v)[at + 1u] = t1 + u1;
    (*v)[at + 2u] = t2 + u2;
    (*v)[at + 3u] = t2 - u2;
    (*v)[at + 4u] = t1 - u1;
}

// Transform of r points, r an odd prime: F_j = z_0 + Σ_k (z_k + z_{r−k})·cos(2πjk/r) − i·Σ_k (z_k − z_{r−k})·sin(2πjk/r),
// k = 1 … (r − 1)/2, and F_{r−j} with the other sign. The roots are those of the table.
fn dft_prime(v: ptr<function, Registers>, at: u32, r: u32) {
    let z = *v;
    let step = params.len / r;
    var total = z[at];
    for (var j = 1u; j < r; j++) {
        total += z[at + j];
    }
    (*v)[at] = total;
    for (var j = 1u; j <= r / 2u; j++) {
        var t = z[at];
        var u = Complex(Real(0), Real(0));
        for (var k = 1u; k <= r / 2u; k++) {
            let w = tables[params.stages + (j * k % r) * step];
            t += (z[at + k] + z[at + r - k]) * w.x;
            u -= (z[at + k] - z[at + r - k]) * w.y;
        }
        u = times_minus_i(u);
        (*v)[at + j] = t + u;
        (*v)[at + r - j] = t - u;
    }
}

// A stage of radix 3: three butterflies a thread.
fn stage3(thread: u32, stage: Stage) {
    var v: Registers;
    for (var i = 0u; i < 3u; i++) {
        gather(&v, 3u * i, thread + i * THREADS, 3u, stage);
    }
    workgroupBarrier();
    for (var i = 0u; i < 3u; i++) {
        dft3(&v, 3u * i);
        scatter(&v, 3u * i, thread + i * THREADS, 3u, stage);
    }
}

// A stage of radix 5: two butterflies a thread.
fn stage5(thread: u32, stage: Stage) {
    var v: Registers;
    gather(&v, 0u, thread, 5u, stage);
    gather(&v, 5u, thread + THREADS, 5u, stage);
    workgroupBarrier();
    dft5(&v, 0u);
    dft5(&v, 5u);
    scatter(&v, 0u, thread, 5u, stage);
    scatter(&v, 5u, thread + THREADS, 5u, stage);
}

// A stage of radix 7: two butterflies a thread.
fn stage7(thread: u32, stage: Stage) {
    var v: Registers;
    gather(&v, 0u, thread, 7u, stage);
    gather(&v, 7u, thread + THREADS, 7u, stage);
    workgroupBarrier();
    dft_prime(&v, 0u, 7u);
    dft_prime(&v, 7u, 7u);
    scatter(&v, 0u, thread, 7u, stage);
    scatter(&v, 7u, thread + THREADS, 7u, stage);
}

// A stage of radix 11 or 13: one butterfly a thread.
fn stage_prime(thread: u32, radix: u32, stage: Stage) {
    var v: Registers;
    gather(&v, 0u, thread, radix, stage);
    workgroupBarrier();
    dft_prime(&v, 0u, radix);
    scatter(&v, 0u, thread, radix, stage);
}

// The radix is uniform.
fn run_stage(thread: u32, radix: u32, stage: Stage) {
    switch (radix) {
        case 8u: {
            stage8(thread, stage);
        }
        case 4u: {
            stage4(thread, stage);
        }
        case 2u: {
            stage2(thread, stage);
        }
        case 3u: {
            stage3(thread, stage);
        }
        case 5u: {
            stage5(thread, stage);
        }
        case 7u: {
            stage7(thread, stage);
        }
        case 11u: {
            stage_prime(thread, 11u, stage);
        }
        default: {
            stage_prime(thread, 13u, stage);
        }
    }
}

// Pulse profiles of many trials at once: counts[trial][bin] of the events at phase bin/nbin and on, exact. Trial j of a block
// has the phase of its first one and j times that of the step, modulo 2^64 units of 2^-64 cycle; its bin is
// floor(nbin·phase) of the leading 32 bits. The definition is that of kernels/fold.rs.
// A workgroup counts one stretch of events for one block in workgroup memory. Fragments before: grid, soft_f64, phase, and amount_one, or
// amount_value for sums of samples.

struct Params {
    // Frequency from trial to trial, 2^-96 cycle/tick, words from the lowest on.
    step_0: u32,
    step_1: u32,
    step_2: u32,
    // Bins of a profile, at most COUNTERS.
    nbin: u32,
    // Events in all, and of a stretch.
    events: u32,
    stretch: u32,
    // Blocks of trials.
    blocks: u32,
    // 0 where no block has a derivative.
    derivatives: u32,
}

// Trials of consecutive frequencies.
struct Block {
    // The first of them in `counts`, and how many; trials·nbin is at most COUNTERS.
    first: u32,
    trials: u32,
    // Frequency of the first, half its derivative and a sixth of the second one: words from the lowest on.
    f_0: u32,
    f_1: u32,
    f_2: u32,
    g_0: u32,
    g_1: u32,
    g_2: u32,
    h_0: u32,
    h_1: u32,
    h_2: u32,
    unused: u32,
}

// See above.
@group(0) @binding(0) var<uniform> params: Params;
// events: ticks, i64.
@group(0) @binding(1) var<storage, read> times: array<vec2<u32>>;
// blocks.
@group(0) @binding(2) var<storage, read> blocks: array<Block>;
// trials × nbin: counts, added to.
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;

// Invocations of a workgroup.
override THREADS: u32 = 256u;
// Counters in workgroup memory.
override COUNTERS: u32 = 4096u;

// trials × nbin of the block.
var<workgroup> profile: array<atomic<u32>, COUNTERS>;

// floor(nbin·phase/2^32) by halves, nbin below 2^16.
fn bin_of(phase: u32) -> u32 {
    return ((phase >> 16u) * params.nbin + (((phase & 0xffffu) * params.nbin) >> 16u)) >> 16u;
}

fn count(b: Block, t: vec2<u32>, amount: u32) {
    let f = vec3<u32>(b.f_0, b.f_1, b.f_2);
    var phase = turn(f, t);
    if (params.derivatives != 0u) {
        phase = phase_of(f, vec3<u32>(b.g_0, b.g_1, b.g_2), vec3<u32>(b.h_0, b.h_1, b.h_2), t);
    }
    let step = turn(vec3<u32>(params.step_0, params.step_1, params.step_2), t);
    for (var place = 0u; place < b.trials * params.nbin; place += params.nbin) {
        atomicAdd(&profile[place + bin_of(phase.y)], amount);
        phase = u64_add(phase, step);
    }
}

@compute @workgroup_size(THREADS)
fn fold(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = group_index(id, groups);
    let place = group % params.blocks;
    let begin = group / params.blocks * params.stretch;
    // The whole workgroup leaves, or none of it.
    if (begin >= params.events) {
        return;
    }
    let b = blocks[place];
    let counters = b.trials * params.nbin;
    for (var i = thread; i < counters; i += THREADS) {
        atomicStore(&profile[i], 0u);
    }
    workgroupBarrier();
    let end = min(begin + params.stretch, params.events);
    for (var i = begin + thread; i < end; i += THREADS) {
        count(b, times[i], amount_of(i));
    }
    workgroupBarrier();
    for (var i = thread; i < counters; i += THREADS) {
        let found = atomicLoad(&profile[i]);
        if (found > 0u) {
            atomicAdd(&counts[b.first * params.nbin + i], found);
        }
    }
}

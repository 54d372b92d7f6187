// Arithmetic at the rate that a device can keep: every item goes through `rounds` rounds of eight steps on four independent
// numbers, x ← step(x), and writes what comes of them, so that nothing can be left out. Items begin at their number.
// One thread an item. Fragments before: grid, and a step.

struct Params {
    // Items.
    items: u32,
    // Rounds of eight steps.
    rounds: u32,
    // Bits of the step's factor and of its summand.
    factor: u32,
    summand: u32,
}

// See above.
@group(0) @binding(0) var<uniform> params: Params;
// items: bits of the four numbers.
@group(0) @binding(1) var<storage, read_write> results: array<vec4<u32>>;

// Invocations of a workgroup.
override THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn rate(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let item = group_index(id, count) * THREADS + thread;
    if (item >= params.items) {
        return;
    }
    var x = first(item);
    for (var round = 0u; round < params.rounds; round++) {
        x = step_of(step_of(step_of(step_of(x))));
        x = step_of(step_of(step_of(step_of(x))));
    }
    results[item] = bits_of(x);
}

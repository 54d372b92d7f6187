// Transforms of 2^log_len points in workgroup memory, 2^log_batch of them side by side, log_len + log_batch = log2 POINTS:
// point j of transform q lies at points[(j << log_batch) | q]. Stockham's self-sorting form (Govindaraju et al. 2008,
// "High performance discrete Fourier transforms on graphics processors"), in place: each thread keeps its eight points in
// registers while all others read. Names the module's workgroup array `points`; needs complex.wgsl and twiddle.wgsl.

// Invocations of a workgroup.
override THREADS: u32 = 256u;
// Points in workgroup memory, 8·THREADS.
override POINTS: u32 = 2048u;

var<workgroup> points: array<vec2<f32>, POINTS>;

// Forward transform of four points.
fn dft4(a: vec2<f32>, b: vec2<f32>, c: vec2<f32>, d: vec2<f32>) -> array<vec2<f32>, 4> {
    let ac = a + c;
    let a_c = a - c;
    let bd = b + d;
    let b_d = times_minus_i(b - d);
    return array<vec2<f32>, 4>(ac + bd, a_c + b_d, ac - bd, a_c - b_d);
}

// Forward transform of eight points.
fn dft8(v: ptr<function, array<vec2<f32>, 8>>) {
    let r = 0.70710678118654752;
    let even = dft4((*v)[0], (*v)[2], (*v)[4], (*v)[6]);
    let odd = dft4((*v)[1], (*v)[3], (*v)[5], (*v)[7]);
    let o1 = vec2<f32>(odd[1].x + odd[1].y, odd[1].y - odd[1].x) * r;
    let o2 = times_minus_i(odd[2]);
    let o3 = vec2<f32>(odd[3].y - odd[3].x, -odd[3].x - odd[3].y) * r;
    *v = array<vec2<f32>, 8>(
        even[0] + odd[0], even[1] + o1, even[2] + o2, even[3] + o3,
        even[0] - odd[0], even[1] - o1, even[2] - o2, even[3] - o3,
    );
}

// Where point j of a butterfly's transform lies.
fn place(j: u32, q: u32, log_batch: u32) -> u32 {
    return (j << log_batch) | q;
}

// Reads one butterfly of 2^log_r points into v[at …], multiplied by their twiddles; 2^log_s points are transformed so far.
fn gather(v: ptr<function, array<vec2<f32>, 8>>, at: u32, butterfly: u32, log_len: u32, log_batch: u32, log_s: u32, log_r: u32) {
    let q = butterfly & ((1u << log_batch) - 1u);
    let j = butterfly >> log_batch;
    let phase = j & ((1u << log_s) - 1u);
    for (var m = 0u; m < (1u << log_r); m++) {
        let x = points[place(j + (m << (log_len - log_r)), q, log_batch)];
        (*v)[at + m] = cmul(x, root(phase * m, log_s + log_r));
    }
}

// Writes the outputs of one butterfly where the next pass looks for them.
fn scatter(v: ptr<function, array<vec2<f32>, 8>>, at: u32, butterfly: u32, log_batch: u32, log_s: u32, log_r: u32) {
    let q = butterfly & ((1u << log_batch) - 1u);
    let j = butterfly >> log_batch;
    let base = ((j >> log_s) << (log_s + log_r)) | (j & ((1u << log_s) - 1u));
    for (var m = 0u; m < (1u << log_r); m++) {
        points[place(base + (m << log_s), q, log_batch)] = (*v)[at + m];
    }
}

// One pass of radix 8: one butterfly a thread.
fn pass8(thread: u32, log_len: u32, log_batch: u32, log_s: u32) {
    var v: array<vec2<f32>, 8>;
    gather(&v, 0u, thread, log_len, log_batch, log_s, 3u);
    workgroupBarrier();
    dft8(&v);
    scatter(&v, 0u, thread, log_batch, log_s, 3u);
    workgroupBarrier();
}

// One pass of radix 4: two butterflies a thread.
fn pass4(thread: u32, log_len: u32, log_batch: u32, log_s: u32) {
    var v: array<vec2<f32>, 8>;
    gather(&v, 0u, thread, log_len, log_batch, log_s, 2u);
    gather(&v, 4u, thread + THREADS, log_len, log_batch, log_s, 2u);
    workgroupBarrier();
    let a = dft4(v[0], v[1], v[2], v[3]);
    let b = dft4(v[4], v[5], v[6], v[7]);
    v = array<vec2<f32>, 8>(a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]);
    scatter(&v, 0u, thread, log_batch, log_s, 2u);
    scatter(&v, 4u, thread + THREADS, log_batch, log_s, 2u);
    workgroupBarrier();
}

// One pass of radix 2: four butterflies a thread.
fn pass2(thread: u32, log_len: u32, log_batch: u32, log_s: u32) {
    var v: array<vec2<f32>, 8>;
    for (var i = 0u; i < 4u; i++) {
        gather(&v, 2u * i, thread + i * THREADS, log_len, log_batch, log_s, 1u);
    }
    workgroupBarrier();
    v = array<vec2<f32>, 8>(
        v[0] + v[1], v[0] - v[1], v[2] + v[3], v[2] - v[3], v[4] + v[5], v[4] - v[5], v[6] + v[7], v[6] - v[7],
    );
    for (var i = 0u; i < 4u; i++) {
        scatter(&v, 2u * i, thread + i * THREADS, log_batch, log_s, 1u);
    }
    workgroupBarrier();
}

// All passes: radix 8 as long as it divides, then one of radix 4 or 2. Begins and ends with `points` visible to all.
fn transform(thread: u32, log_len: u32) {
    let log_batch = countTrailingZeros(POINTS) - log_len;
    let eights = log_len / 3u;
    for (var i = 0u; i < eights; i++) {
        pass8(thread, log_len, log_batch, 3u * i);
    }
    if (log_len - 3u * eights == 2u) {
        pass4(thread, log_len, log_batch, 3u * eights);
    }
    if (log_len - 3u * eights == 1u) {
        pass2(thread, log_len, log_batch, 3u * eights);
    }
}

// Transforms of params.len points in workgroup memory, params.batch of them side by side: point j of transform q is point
// j·batch + q of memory_*.wgsl. Stockham's self-sorting form (Govindaraju et al. 2008, "High performance discrete Fourier transforms on
// graphics processors"), in place: each thread keeps its points in registers while all others read. A stage of radix r has
// batch·len/r butterflies; butterfly b takes points b, b + count, b + 2·count, ….
// Names the module's `tables` and `params`; needs complex.wgsl, and one each of memory_*, divide_* and stages_*.wgsl.

// Invocations of a workgroup.
override THREADS: u32 = 256u;
// Points in workgroup memory, 8·THREADS.
override POINTS: u32 = 2048u;

// One stage: the points transformed so far, the butterflies of the workgroup, and len/(done·radix).
struct Stage {
    done: u32,
    count: u32,
    step: u32,
}

// Reads the points of butterfly b into v[at …], multiplied by their twiddles.
fn gather(v: ptr<function, Registers>, at: u32, b: u32, radix: u32, stage: Stage) {
    if (b >= stage.count) {
        return;
    }
    if (stage.done == 1u) {
        for (var m = 0u; m < radix; m++) {
            (*v)[at + m] = read_point(b + m * stage.count);
        }
        return;
    }
    let unit = remainder(quotient(b, params.batch), stage.done) * stage.step;
    for (var m = 0u; m < radix; m++) {
        (*v)[at + m] = cmul(read_point(b + m * stage.count), tables[params.stages + m * unit]);
    }
}

// Writes the outputs of butterfly b where the next stage looks for them.
fn scatter(v: ptr<function, Registers>, at: u32, b: u32, radix: u32, stage: Stage) {
    if (b >= stage.count) {
        return;
    }
    let j = quotient(b, params.batch);
    let phase = remainder(j, stage.done);
    let first = ((j - phase) * radix + phase) * params.batch + remainder(b, params.batch);
    for (var m = 0u; m < radix; m++) {
        write_point(first + m * stage.done * params.batch, (*v)[at + m]);
    }
}

// Transform of two points.
fn dft2(v: ptr<function, Registers>, at: u32) {
    let a = (*v)[at];
    let b = (*v)[at + 1u];
    (*v)[at] = a + b;
    (*v)[at + 1u] = a - b;
}

// Transform of four points.
fn dft4(a: Complex, b: Complex, c: Complex, d: Complex) -> array<Complex, 4> {
    let ac = a + c;
    let a_c = a - c;
    let bd = b + d;
    let b_d = times_minus_i(b - d);
    return array<Complex, 4>(ac + bd, a_c + b_d, ac - bd, a_c - b_d);
}

// Transform of eight points.
fn dft8(v: ptr<function, Registers>) {
    let r = Real(0.70710678118654752440);
    let even = dft4((*v)[0], (*v)[2], (*v)[4], (*v)[6]);
    let odd = dft4((*v)[1], (*v)[3], (*v)[5], (*v)[7]);
    let o1 = Complex(odd[1].x + odd[1].y, odd[1].y - odd[1].x) * r;
    let o2 = times_minus_i(odd[2]);
    let o3 = Complex(odd[3].y - odd[3].x, -odd[3].x - odd[3].y) * r;
    (*v)[0] = even[0] + odd[0];
    (*v)[1] = even[1] + o1;
    (*v)[2] = even[2] + o2;
    (*v)[3] = even[3] + o3;
    (*v)[4] = even[0] - odd[0];
    (*v)[5] = even[1] - o1;
    (*v)[6] = even[2] - o2;
    (*v)[7] = even[3] - o3;
}

// A stage of radix 2: four butterflies a thread.
fn stage2(thread: u32, stage: Stage) {
    var v: Registers;
    for (var i = 0u; i < 4u; i++) {
        gather(&v, 2u * i, thread + i * THREADS, 2u, stage);
    }
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
        dft2(&v, 2u * i);
        scatter(&v, 2u * i, thread + i * THREADS, 2u, stage);
    }
}

// A stage of radix 4: two butterflies a thread.
fn stage4(thread: u32, stage: Stage) {
    var v: Registers;
    gather(&v, 0u, thread, 4u, stage);
    gather(&v, 4u, thread + THREADS, 4u, stage);
    workgroupBarrier();
    for (var i = 0u; i < 8u; i += 4u) {
        let f = dft4(v[i], v[i + 1u], v[i + 2u], v[i + 3u]);
        v[i] = f[0];
        v[i + 1u] = f[1];
        v[i + 2u] = f[2];
        v[i + 3u] = f[3];
    }
    scatter(&v, 0u, thread, 4u, stage);
    scatter(&v, 4u, thread + THREADS, 4u, stage);
}

// A stage of radix 8: one butterfly a thread.
fn stage8(thread: u32, stage: Stage) {
    var v: Registers;
    gather(&v, 0u, thread, 8u, stage);
    workgroupBarrier();
    dft8(&v);
    scatter(&v, 0u, thread, 8u, stage);
}

// All stages. Begins and ends with all points visible to all.
fn transform(thread: u32) {
    var done = 1u;
    for (var rest = params.radices; rest != 0u; rest >>= 4u) {
        let radix = rest & 15u;
        let step = params.len / (done * radix);
        run_stage(thread, radix, Stage(done, params.batch * params.len / radix, step));
        done *= radix;
        workgroupBarrier();
    }
}

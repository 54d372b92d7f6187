// Workgroup memory as words, which are counts at first and the bits of complex points later. Names the module's WORDS.
var<workgroup> words: array<atomic<u32>, WORDS>;

// Words in workgroup memory, two a point.
override WORDS: u32 = 4096u;

fn read_point(i: u32) -> Complex {
    return Complex(bitcast<f32>(atomicLoad(&words[2u * i])), bitcast<f32>(atomicLoad(&words[2u * i + 1u])));
}

fn write_point(i: u32, z: Complex) {
    atomicStore(&words[2u * i], bitcast<u32>(z.x));
    atomicStore(&words[2u * i + 1u], bitcast<u32>(z.y));
}

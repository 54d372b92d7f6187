// A step of the floating-point rate, two operations a number: x ← x·factor + summand, fused or not. Needs `params`.
fn first(item: u32) -> vec4<f32> {
    return vec4<f32>(f32(item % 1024u)) + vec4<f32>(0.0, 0.25, 0.5, 0.75);
}
fn step_of(x: vec4<f32>) -> vec4<f32> {
    return fma(x, vec4<f32>(bitcast<f32>(params.factor)), vec4<f32>(bitcast<f32>(params.summand)));
}
fn bits_of(x: vec4<f32>) -> vec4<u32> {
    return bitcast<vec4<u32>>(x);
}

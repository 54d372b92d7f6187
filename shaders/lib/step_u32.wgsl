// A step of the integer rate, four operations a number: x ← (x xor x >> 3)·factor + summand, modulo 2^32. Needs `params`.
fn first(item: u32) -> vec4<u32> {
    return vec4<u32>(item) * 4u + vec4<u32>(0u, 1u, 2u, 3u);
}
fn step_of(x: vec4<u32>) -> vec4<u32> {
    return (x ^ (x >> vec4<u32>(3u))) * params.factor + params.summand;
}
fn bits_of(x: vec4<u32>) -> vec4<u32> {
    return x;
}

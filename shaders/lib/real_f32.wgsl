// Arithmetic of transforms and sums: 32 bits.
alias Real = f32;
alias Complex = vec2<f32>;

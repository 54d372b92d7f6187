// Arithmetic of transforms and sums: 64 bits, where the adapter has them.
alias Real = f64;
alias Complex = vec2<f64>;

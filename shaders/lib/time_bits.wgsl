// Times that are carried and not computed with: the two words of an f64.
alias Time = vec2<u32>;

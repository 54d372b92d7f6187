//! The transform by its definition.

use rustfft::num_complex::Complex;

use crate::numerics::fft::root;

/// Reference: the definition, evaluated at the frequencies `ks`, in f64 with compensated sums; `x` holds `n` samples.
pub fn reference(x: &[f64], ks: &[usize]) -> Vec<Complex<f64>> {
    let n = x.len();
    ks.iter()
        .map(|&k| {
            let (mut re, mut im) = (Compensated::default(), Compensated::default());
            for (j, &x) in x.iter().enumerate() {
                let w = root((j * k) % n, n);
                re.add(x * w.re);
                im.add(x * w.im);
            }
            Complex::new(re.value(), im.value())
        })
        .collect()
}

/// A running sum with the rounding error carried along (Neumaier 1974, doi:10.1002/zamm.19740540106).
#[derive(Default)]
struct Compensated {
    sum: f64,
    error: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        self.error += if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        self.sum = sum;
    }
    fn value(&self) -> f64 {
        self.sum + self.error
    }
}

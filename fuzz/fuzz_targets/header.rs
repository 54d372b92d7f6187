//! Headers: a list of extensions whose places do not overlap, or an error.
#![no_main]
use eagleray::internal::io::{InputFile, fits};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::fits(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Some((_, bytes)) = eagleray_fuzz::drawn(data) else { return };
    let Ok(source) = InputFile::open(&eagleray_fuzz::written(&bytes)) else { return };
    let Ok((hdus, trailing)) = fits::scan(&source) else { return };
    let mut end = 0;
    for hdu in &hdus {
        assert!(hdu.data_offset > end && hdu.data_offset - end >= 2880);
        end = hdu.data_offset.saturating_add(hdu.data_len);
        for key in ["NAXIS1", "TFIELDS", "MJDREFI", "EXTNAME", "TSTART"] {
            let (text, int, real) = (hdu.header.text(key), hdu.header.int(key), hdu.header.real(key));
            assert_eq!(text.is_some(), hdu.header.has(key));
            assert!(text.is_none_or(|text| !text.chars().any(char::is_control)));
            // What is an integer is a number too.
            assert!(!matches!(int, Ok(Some(_))) || matches!(real, Ok(Some(_))));
        }
    }
    assert!(trailing.is_none_or(|at| at < source.len()));
});

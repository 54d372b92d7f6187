//! Gzip streams, as drawn and as packed and then changed: what was packed comes out, or an error.
#![no_main]
use std::io::Write;

use eagleray::internal::io::InputFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&how, rest)) = data.split_first() else { return };
    let packed = match how % 3 {
        0 => [&[0x1f, 0x8b], rest].concat(),
        _ => {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(rest).expect("memory");
            packer.finish().expect("memory")
        }
    };
    let whole = how % 3 == 1;
    let mut packed = packed;
    if how % 3 == 2 {
        for pair in rest.chunks_exact(2).take(usize::from(how) / 64 + 1) {
            let at = usize::from(pair[0]) % packed.len();
            packed[at] ^= pair[1];
        }
        packed.truncate(packed.len() - usize::from(how / 3) % packed.len().min(16));
    }
    let opened = InputFile::open(&eagleray_fuzz::written(&packed));
    match opened {
        Ok(source) => {
            let bytes = source.read(0..source.len()).expect("the file can be read");
            assert!(!whole || bytes == rest);
            source.crc32().expect("the file can be read");
        }
        Err(e) => assert!(!whole || rest.is_empty(), "{e}"),
    }
});

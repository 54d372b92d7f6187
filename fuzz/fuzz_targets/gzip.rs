//! Gzip streams: as drawn, as members packed with every kind of frame, and such that were changed: what was packed comes out, or an error.
#![no_main]
use std::io::Write;

use eagleray::internal::io::InputFile;
use flate2::{Compression, Crc, write::DeflateEncoder};
use libfuzzer_sys::fuzz_target;

/// A member with the fields of its header that `flags` ask for (RFC 1952: 1 text, 2 CRC of the header, 4 extra field, 8 name, 16 comment).
fn member(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut made = vec![0x1f, 0x8b, 8, flags & 31, 0, 0, 0, 0, 0, 255];
    if flags & 4 != 0 {
        made.extend([3, 0, b'A', b'P', b'x']);
    }
    if flags & 8 != 0 {
        made.extend(b"name.evt\0");
    }
    if flags & 16 != 0 {
        made.extend(b"a comment\0");
    }
    if flags & 2 != 0 {
        let mut crc = Crc::new();
        crc.update(&made);
        made.extend((crc.sum() as u16).to_le_bytes());
    }
    // Stored, or by the fastest or the best compression.
    let level = [Compression::none(), Compression::fast(), Compression::best()][usize::from(flags / 32 % 3)];
    let mut packer = DeflateEncoder::new(made, level);
    packer.write_all(payload).expect("memory");
    let mut made = packer.finish().expect("memory");
    let mut crc = Crc::new();
    crc.update(payload);
    made.extend(crc.sum().to_le_bytes());
    made.extend(crc.amount().to_le_bytes());
    made
}

/// Whether bytes begin as those do that some packer has written.
fn packed_again(bytes: &[u8]) -> bool {
    [
        &[0x1f, 0x8b][..],
        &[0x1f, 0x9d],
        b"BZh",
        &[0x28, 0xb5, 0x2f, 0xfd],
        &[0xfd, b'7', b'z', b'X', b'Z', 0],
        b"PK\x03\x04",
        &[b'7', b'z', 0xbc, 0xaf],
    ]
    .iter()
    .any(|begin| bytes.starts_with(begin))
}

fuzz_target!(|data: &[u8]| {
    let Some((&how, rest)) = data.split_first() else { return };
    // Members: flags, a length, and so many bytes.
    let (mut packed, mut expected, mut left) = (Vec::new(), Vec::<u8>::new(), rest);
    while how % 3 != 0 {
        let [flags, length, behind @ ..] = left else { break };
        let (payload, behind) = behind.split_at(behind.len().min(usize::from(*length) * 8));
        packed.extend(member(*flags, payload));
        expected.extend(payload);
        left = behind;
    }
    if how % 3 != 0 && packed.is_empty() {
        return;
    }
    if how % 3 == 0 {
        packed = [&[0x1f, 0x8b], rest].concat();
    }
    let whole = how % 3 == 1;
    if whole {
        // Zeros behind the last member are no data.
        packed.resize(packed.len() + usize::from(how / 3 % 4) * 512, 0);
    } else if how % 3 == 2 && !packed.is_empty() {
        for pair in rest.rchunks_exact(2).take(usize::from(how) / 64 + 1) {
            let at = usize::from(pair[0]) % packed.len();
            packed[at] ^= pair[1];
        }
        packed.truncate(packed.len() - usize::from(how / 3) % packed.len().min(16));
    }
    let opened = InputFile::open(&eagleray_fuzz::written(&packed));
    match opened {
        Ok(source) => {
            let bytes = source.read(0..source.len()).expect("the file can be read");
            assert!(!whole || bytes == expected);
            source.crc32().expect("the file can be read");
        }
        // What was packed twice is to be unpacked by hand.
        Err(e) => assert!(!whole || expected.is_empty() || packed_again(&expected), "{e}"),
    }
});

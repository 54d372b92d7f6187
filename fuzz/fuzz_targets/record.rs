//! Records of `gpu-bench`: compared with themselves nothing has changed, or an error.
#![no_main]
use eagleray_cli::bench::compare::{changes, text};
use eagleray_cli::bench::record::BenchRecord;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    eagleray_fuzz::mutate::json(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Ok(record) = BenchRecord::read(&eagleray_fuzz::written(data)) else { return };
    text(&record, &record, &changes(&record, &record));
    let _ = (record.is_right(), record.others());
});

// A sample counts by its value.

// events: whole numbers, of which those of one bin add up to less than 2^32.
@group(0) @binding(4) var<storage, read> values: array<u32>;

fn amount_of(i: u32) -> u32 {
    return values[i];
}

//! Tables of any columns, held against values taken from the bytes one by one.
#![no_main]
use eagleray::internal::io::fits_table::{ElementType, FitsTable};
use eagleray::internal::io::{InputFile, fits};
use libfuzzer_sys::fuzz_target;

const FORMS: [(&str, usize); 12] = [
    ("D", 8),
    ("1E", 4),
    ("J", 4),
    ("1I", 2),
    ("B", 1),
    ("K", 8),
    ("L", 1),
    ("5A", 5),
    ("11X", 2),
    ("1PE(3)", 8),
    ("QD(9)", 16),
    ("0J", 0),
];

fuzz_target!(|data: &[u8]| {
    let Some((&count, mut data)) = data.split_first() else { return };
    let mut next = || {
        let (&first, rest) = data.split_first()?;
        data = rest;
        Some(first)
    };
    let mut columns = Vec::new();
    for _ in 0..count % 12 + 1 {
        let (Some(form), Some(scale)) = (next(), next()) else { return };
        columns.push((FORMS[usize::from(form) % FORMS.len()], scale));
    }
    let width: usize = columns.iter().map(|((_, width), _)| width).sum();
    if width == 0 {
        return;
    }
    let rows = data.len() / width;
    let mut text = format!(
        "SIMPLE  = T\nBITPIX  = 8\nNAXIS   = 0\n~~XTENSION= 'BINTABLE'\nBITPIX  = 8\nNAXIS   = 2\nNAXIS1  = {width}\n\
         NAXIS2  = {rows}\nPCOUNT  = 0\nGCOUNT  = 1\nTFIELDS = {}\n",
        columns.len()
    );
    let of = |scale: u8| match scale % 4 {
        0 => (1.0, 0.0, None),
        1 => (1.0, 32768.0, None),
        2 => (0.5, -3.0, Some(i64::from(scale) - 128)),
        _ => (1.0, 0.0, Some(i64::from(scale) - 128)),
    };
    for (i, ((form, _), scale)) in columns.iter().enumerate() {
        let (factor, zero, null) = of(*scale);
        text += &format!("TFORM{:<3}= '{form}'\nTTYPE{:<3}= 'C{i}'\n", i + 1, i + 1);
        text += &format!("TSCAL{:<3}= {factor:?}\nTZERO{:<3}= {zero:?}\n", i + 1, i + 1);
        if let Some(null) = null {
            text += &format!("TNULL{:<3}= {null}\n", i + 1);
        }
    }
    let mut bytes = eagleray_fuzz::fits(text.as_bytes());
    bytes.extend(&data[..rows * width]);
    let source = InputFile::open(&eagleray_fuzz::written(&bytes)).expect("a file");
    let (hdus, _) = fits::scan(&source).expect("two headers");
    let table = FitsTable::open(&source, &hdus[1], false).expect("a table");
    assert_eq!((table.rows, table.row_size), (rows, width));
    let mut offset = 0;
    for (i, ((_, size), scale)) in columns.iter().enumerate() {
        let column = &table.columns[i];
        let (factor, zero, null) = of(*scale);
        let mut values = Vec::new();
        if column.repeat == 1 {
            table.decode(column, 0..rows, &mut values).expect("values");
        }
        for (row, value) in values.iter().enumerate() {
            let field = &data[row * width + offset..row * width + offset + size];
            let whole = |v: i64| if null == Some(v) { f64::NAN } else { v as f64 * factor + zero };
            let expected = match column.kind {
                ElementType::U8 => whole(i64::from(field[0])),
                ElementType::I16 => whole(i64::from(i16::from_be_bytes(field.try_into().unwrap()))),
                ElementType::I32 => whole(i64::from(i32::from_be_bytes(field.try_into().unwrap()))),
                ElementType::I64 => whole(i64::from_be_bytes(field.try_into().unwrap())),
                ElementType::F32 => f64::from(f32::from_be_bytes(field.try_into().unwrap())) * factor + zero,
                ElementType::F64 => f64::from_be_bytes(field.try_into().unwrap()) * factor + zero,
                ElementType::Bit | ElementType::C128 | ElementType::Opaque => panic!("none of them is decoded"),
            };
            assert!(*value == expected || (value.is_nan() && expected.is_nan()), "{value} for {expected}");
        }
        offset += size;
    }
});

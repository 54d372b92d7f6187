//! Searches and pulse profiles read back from the files that they were written to.

use std::path::Path;

use super::Candidate;
use super::columns::{PULSE_PROFILE, SEARCH};
use super::fold::PulseProfile;
use super::search_result::{SearchMetadata, SearchResult};
use crate::base::error::Result;
use crate::io::table_read::ReadTable;

impl PulseProfile {
    /// Reads a pulse profile from a file that this program wrote: ECSV, CSV, JSON or FITS.
    ///
    /// # Errors
    /// The file cannot be read; it holds something else; a column or a key of the metadata is missing, or has no numbers.
    pub fn read(path: impl AsRef<Path>) -> Result<PulseProfile> {
        let mut table = ReadTable::open(path.as_ref(), &PULSE_PROFILE)?;
        let weight = match table.has("weight") {
            true => Some([table.real("weight")?, table.real("weight_err")?]),
            false => None,
        };
        Ok(PulseProfile {
            phase: table.real("phase")?,
            counts: table.count("counts")?,
            weight,
            rate: table.real("rate")?,
            rate_err: table.real("rate_err")?,
            exposure: table.real("exposure")?,
            meta: table.metadata()?,
        })
    }
}

impl SearchResult {
    /// Reads the result of a search from a file that this program wrote: ECSV, CSV, JSON or FITS. Neither the map nor the null
    /// distributions are in it.
    ///
    /// # Errors
    /// As for [`PulseProfile::read`].
    pub fn read(path: impl AsRef<Path>) -> Result<SearchResult> {
        let mut table = ReadTable::open(path.as_ref(), &SEARCH)?;
        let laws = match ["nharm", "nbin"].into_iter().find(|name| table.has(name)) {
            Some(name) => {
                let numbers = table.count(name)?;
                // A column, so not in the metadata, whose number is that of the options.
                let asked = table.meta["options"].get(name).cloned();
                table.meta[name] = asked.unwrap_or_else(|| numbers.iter().copied().max().unwrap_or(0).into());
                Some((name, numbers))
            }
            None => None,
        };
        let candidates: Vec<Candidate> = table.part("candidates")?;
        let meta: SearchMetadata = table.metadata()?;
        let fddot = if table.has("fddot") { table.real("fddot")? } else { vec![0.0; table.rows()] };
        Ok(SearchResult {
            freq: table.real("freq")?,
            fdot: table.real("fdot")?,
            fddot,
            stat: table.real("stat")?,
            candidates,
            map: Vec::new(),
            rows: Vec::new(),
            laws,
            ln_p: Vec::new(),
            read_log10_p: table.real("log10_p")?,
            null_distributions: Vec::new(),
            meta,
        })
    }
}

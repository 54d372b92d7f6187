//! Errors of columns in QDP files: `READ SERR` and `READ TERR` (The QDP/PLT User's Guide, Tennant 1991, command READ).
//!
//! A file holds vectors; each has one column, a vector that `READ SERR` names has its error in the next one, and a vector that `READ TERR`
//! names has two behind it, the error upwards and, below zero as a rule, the error downwards. The first vector is the time, whose errors are
//! half the width of a bin, the second the rate.

use std::collections::BTreeSet;

/// What is asked for of errors.
#[derive(Debug, Default, PartialEq)]
pub(super) struct QdpErrors {
    /// Vectors with one error.
    symmetric: Option<BTreeSet<usize>>,
    /// Vectors with errors upwards and downwards.
    two_sided: Option<BTreeSet<usize>>,
}

/// The columns of a vector, from 0 on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Vector {
    pub value: usize,
    pub errors: VectorErrors,
}

/// The columns with the errors of a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum VectorErrors {
    None,
    One(usize),
    /// Upwards and downwards.
    Two(usize, usize),
}

impl VectorErrors {
    /// True for a column of them.
    pub fn has(self, column: usize) -> bool {
        match self {
            VectorErrors::None => false,
            VectorErrors::One(one) => one == column,
            VectorErrors::Two(up, down) => up == column || down == column,
        }
    }
}

impl QdpErrors {
    /// True where a file says something of errors.
    pub fn are_said(&self) -> bool {
        self.symmetric.is_some() || self.two_sided.is_some()
    }

    /// Takes a command `READ`, of which commands that say nothing of errors are passed over. Commands may be abbreviated.
    ///
    /// # Errors
    /// No numbers of vectors; other ones than before; a vector of both kinds.
    pub fn read(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).skip(1);
        let kind = words.next().unwrap_or_default().to_ascii_uppercase();
        let list = match kind.as_str() {
            "" => return Ok(()),
            kind if "SERR".starts_with(kind) => &mut self.symmetric,
            kind if "TERR".starts_with(kind) => &mut self.two_sided,
            _ => return Ok(()),
        };
        let numbers = words.map(|word| word.parse::<usize>().ok().filter(|number| *number > 0));
        let Some(vectors) = numbers.collect::<Option<BTreeSet<usize>>>().filter(|vectors| !vectors.is_empty()) else {
            return Err("READ has the numbers of vectors, from 1 on".to_string());
        };
        if list.as_ref().is_some_and(|known| *known != vectors) {
            return Err(format!("READ {kind} stands twice, with different vectors"));
        }
        *list = Some(vectors);
        let has = |list: &Option<BTreeSet<usize>>, vector| list.as_ref().is_some_and(|list| list.contains(vector));
        match self.symmetric.iter().flatten().find(|vector| has(&self.two_sided, vector)) {
            Some(vector) => Err(format!("vector {vector} has its errors by READ SERR and by READ TERR")),
            None => Ok(()),
        }
    }

    /// The vectors of so many columns.
    ///
    /// # Errors
    /// Fewer than two vectors; columns for a vector without those of its errors.
    pub fn vectors(&self, columns: usize) -> Result<Vec<Vector>, String> {
        let (mut vectors, mut next) = (Vec::new(), 0);
        while next < columns {
            let number = vectors.len() + 1;
            let has = |list: &Option<BTreeSet<usize>>| list.as_ref().is_some_and(|list| list.contains(&number));
            let (errors, width) = match (has(&self.symmetric), has(&self.two_sided)) {
                (true, _) => (VectorErrors::One(next + 1), 2),
                (_, true) => (VectorErrors::Two(next + 1, next + 2), 3),
                _ => (VectorErrors::None, 1),
            };
            vectors.push(Vector { value: next, errors });
            next += width;
        }
        match next == columns && vectors.len() > 1 {
            true => Ok(vectors),
            false => Err(format!("{columns} columns, which are not those that READ SERR and READ TERR announce")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::VectorErrors::{None, One, Two};
    use super::*;

    fn vectors(commands: &[&str], columns: usize) -> Result<Vec<(usize, VectorErrors)>, String> {
        let mut errors = QdpErrors::default();
        commands.iter().try_for_each(|command| errors.read(command))?;
        Ok(errors.vectors(columns)?.into_iter().map(|vector| (vector.value, vector.errors)).collect())
    }

    #[test]
    fn errors_stand_behind_their_vectors() {
        assert_eq!(vectors(&[], 3), Ok(vec![(0, None), (1, None), (2, None)]));
        assert_eq!(vectors(&["READ SERR 2"], 3), Ok(vec![(0, None), (1, One(2))]));
        assert_eq!(vectors(&["read serr 1 2"], 4), Ok(vec![(0, One(1)), (2, One(3))]));
        assert_eq!(vectors(&["READ SERR 1"], 3), Ok(vec![(0, One(1)), (2, None)]));
        assert_eq!(vectors(&["READ TERR 1, 2"], 6), Ok(vec![(0, Two(1, 2)), (3, Two(4, 5))]));
        assert_eq!(vectors(&["READ TERR 1", "READ SERR 2"], 5), Ok(vec![(0, Two(1, 2)), (3, One(4))]));
        // Two light curves beside each other, and a command of something else.
        let both = vec![(0, One(1)), (2, One(3)), (4, One(5))];
        assert_eq!(vectors(&["READ S 1 2 3", "READ OFF"], 6), Ok(both));
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        for (commands, columns) in [
            (&["READ SERR 1 2"][..], 3),
            (&["READ TERR 2"], 3),
            (&["READ SERR 1"], 2),
            (&["READ SERR"], 4),
            (&["READ SERR 0"], 4),
            (&["READ SERR x"], 4),
            (&["READ SERR 1", "READ SERR 2"], 4),
            (&["READ SERR 1 2", "READ TERR 2"], 5),
        ] {
            assert!(vectors(commands, columns).is_err(), "{commands:?} {columns}");
        }
    }
}

//! "did you mean": the nearest of some known words, and only if it is near.

/// The known word nearest to `word`, if its distance is at most a third of the length, and 1 for short words: `name` is
/// no `wave`. Ties go to the first of `known`.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let limit = word.chars().count().max(3) / 3;
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_near_words_are_offered() {
        assert_eq!(nearest("agnet", ["agent", "core"]), Some("agent"));
        assert_eq!(nearest("limt", ["limit", "request"]), Some("limit"));
        assert_eq!(nearest("println", ["Nil"]), None);
        assert_eq!(nearest("x", ["yy"]), None);
        assert_eq!(nearest("host", ["port"]), None);
    }
}

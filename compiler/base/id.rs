//! Indices that know their list, so that the index of a node is never taken for that of a service.

/// The index of an item in its list.
pub(crate) trait Id: Copy {
    /// The id of the item at an index.
    fn new(index: usize) -> Self;
    /// Its index.
    fn index(self) -> usize;
}

/// An item of a list that has ids.
pub(crate) trait Listed {
    /// The ids of its list. Lists that run in parallel share them.
    type Id: Id;
}

/// The items of a list with their ids.
pub(crate) fn numbered<T: Listed>(
    list: &[T],
) -> impl DoubleEndedIterator<Item = (T::Id, &T)> + ExactSizeIterator + Clone {
    let items = list.iter().enumerate();
    items.map(|(index, item)| (T::Id::new(index), item))
}

/// The ids of a list.
pub(crate) fn ids<T: Listed>(
    list: &[T],
) -> impl DoubleEndedIterator<Item = T::Id> + ExactSizeIterator + Clone + use<T> {
    (0..list.len()).map(T::Id::new)
}

/// Declares the ids of a list.
macro_rules! id {
    ($(#[$doc:meta])* $id:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) struct $id(u32);

        impl $crate::base::id::Id for $id {
            fn new(index: usize) -> $id {
                $id(u32::try_from(index).expect("what is listed has a place of 32 bits in a text"))
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

/// Says by which ids the items of a list go.
macro_rules! listed {
    ($id:ident: $item:ty) => {
        impl<'a> $crate::base::id::Listed for $item {
            type Id = $id;
        }

        impl<'a> std::ops::Index<$id> for [$item] {
            type Output = $item;

            fn index(&self, id: $id) -> &$item {
                &self[$crate::base::id::Id::index(id)]
            }
        }

        impl<'a> std::ops::Index<$id> for Vec<$item> {
            type Output = $item;

            fn index(&self, id: $id) -> &$item {
                &self.as_slice()[id]
            }
        }

        impl<'a> std::ops::IndexMut<$id> for [$item] {
            fn index_mut(&mut self, id: $id) -> &mut $item {
                &mut self[$crate::base::id::Id::index(id)]
            }
        }

        impl<'a> std::ops::IndexMut<$id> for Vec<$item> {
            fn index_mut(&mut self, id: $id) -> &mut $item {
                &mut self.as_mut_slice()[id]
            }
        }
    };
}

pub(crate) use {id, listed};

/// A name in a folder, and what it says about age.
struct FileLocation: Hashable, Sendable {
    enum Age: Hashable, Sendable {
        /// The name that the application writes to.
        case current
        case rotated(RotatedName)
        /// Some other name in the folder, which only the file's inode led to.
        case stray
    }

    var folder: String
    var name: String
    var age: Age

    var path: String { folder == "/" ? "/" + name : folder + "/" + name }

    var isCompressed: Bool {
        if case .rotated(let name) = age { name.isCompressed } else { name.hasSuffix(".gz") }
    }

    var form: FilePosition.Form { isCompressed ? .compressed : .plain }

    /// Whether names allow that a file here is made from one there by a copy or by compression.
    func mayBeMade(from other: FileLocation) -> Bool {
        guard case .rotated(let own) = age, case .rotated(let others) = other.age else { return true }
        return own.mayBeMade(from: others)
    }

    /// True where a file here was rotated away before one there; nil where the names don't tell.
    func isOlder(than other: FileLocation) -> Bool? {
        switch (age, other.age) {
        case (.current, .current), (.stray, .stray), (.stray, .rotated), (.rotated, .stray): nil
        case (.current, .rotated), (.current, .stray): false
        case (.rotated, .current), (.stray, .current): true
        case (.rotated(let own), .rotated(let others)): own.isOlder(than: others)
        }
    }
}

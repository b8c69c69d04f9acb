/// The patterns of all file sources: what a path means to them.
struct FilePatterns: Sendable {
    /// A file that belongs to a source.
    struct Place: Hashable, Sendable {
        /// The path under which the source is known.
        var source: String
        var settings: Int
        var age: FileLocation.Age
        /// A pattern names this very path.
        var isMatch: Bool
    }

    let settings: [FileInputSettings]
    private let globs: [[Glob]]
    private let excludes: [[Glob]]

    init(_ settings: [FileInputSettings]) throws(InputSettingsError) {
        self.settings = settings
        var globs: [[Glob]] = []
        var excludes: [[Glob]] = []
        for source in settings {
            guard !source.paths.isEmpty else { throw InputSettingsError(message: "a file source needs a path") }
            guard source.lineBytesMax.bytes > 0 else {
                throw InputSettingsError(message: "the longest line must have at least one byte")
            }
            globs.append(try source.paths.map(Self.glob))
            // `*.gz` alone means such names in every folder.
            excludes.append(try source.exclude.map { $0.hasPrefix("/") ? $0 : "/**/" + $0 }.map(Self.glob))
        }
        self.globs = globs
        self.excludes = excludes
    }

    private static func glob(_ pattern: String) throws(InputSettingsError) -> Glob {
        guard let glob = Glob(pattern) else {
            throw InputSettingsError(
                message:
                    "expected an absolute path like /var/log/app/*.log, which may hold *, ?, [a-z] and **; found \"\(pattern)\""
            )
        }
        return glob
    }

    /// Folders from which the searches begin.
    var roots: Set<String> { Set(globs.joined().map(\.root)) }

    var all: [String] { globs.joined().map(\.description) }

    /// The first source whose patterns name the path.
    func settings(for path: String) -> Int? {
        globs.indices.first { index in
            globs[index].contains { $0.matches(path) } && !excludes[index].contains { $0.matches(path) }
        }
    }

    /// What the file is to us; nil where it is nothing. `isKnown` tells whether a path is a source already, or a file stands there.
    func place(of name: String, in folder: String, isKnown: (String) -> Bool) -> Place? {
        let prefix = folder == "/" ? "/" : folder + "/"
        let path = prefix + name
        let own = settings(for: path)
        for reading in RotatedName.readings(of: name) {
            let base = prefix + reading.base
            guard let index = settings(for: base), own != nil ? own == index && isKnown(base) : !isExcluded(path, index)
            else { continue }
            return Place(source: base, settings: index, age: .rotated(reading), isMatch: own != nil)
        }
        return own.map { Place(source: path, settings: $0, age: .current, isMatch: true) }
    }

    /// Whether the name may be one of the source's files.
    func names(_ source: String, _ name: String, in folder: String) -> Bool {
        place(of: name, in: folder, isKnown: { $0 == source })?.source == source
            || place(of: name, in: folder, isKnown: { _ in false })?.source == source
    }

    /// The patterns that name the path.
    func patterns(for path: String) -> [String] {
        guard let index = settings(for: path) else { return [] }
        return globs[index].filter { $0.matches(path) }.map(\.description)
    }

    /// Whether changes in the folder are to be found by looking only.
    func polls(_ folder: String) -> Bool {
        settings.indices.contains { index in
            settings[index].polls && globs[index].contains { $0.root == folder || $0.mayMatchBelow(folder) }
        }
    }

    func isRelevant(_ name: String, in folder: String) -> Bool {
        place(of: name, in: folder, isKnown: { _ in false }) != nil
    }

    /// Whether a name in the folder, if it is a folder, may hold matches.
    func mayMatchBelow(_ folder: String, _ name: String) -> Bool {
        mayMatchBelow(folder == "/" ? "/" + name : folder + "/" + name)
    }

    func mayMatchBelow(_ folder: String) -> Bool { globs.joined().contains { $0.mayMatchBelow(folder) } }

    private func isExcluded(_ path: String, _ index: Int) -> Bool { excludes[index].contains { $0.matches(path) } }
}

/// How the generated folders differ from what they should hold.
public struct Changes: CustomStringConvertible {
    public let written: [Generator.File]
    /// Files that no schema stands behind any more.
    public let removed: [String]

    public init(wanted: [Generator.File], root: String) throws {
        var present: [String: String] = [:]
        for folder in Generator.outputFolders {
            for file in try Folder.files(below: folder, root: root) { present[file.path] = file.text }
        }
        written = wanted.filter { present[$0.path] != $0.text }
        let paths = Set(wanted.map(\.path))
        removed = present.keys.filter { !paths.contains($0) }.sorted()
    }

    public var isEmpty: Bool { written.isEmpty && removed.isEmpty }
    public var description: String { (written.map(\.path) + removed.map { "\($0) (gone)" }).joined(separator: ", ") }

    public func apply(root: String) throws {
        for file in written { try Folder.write(file, root: root) }
        for path in removed { try Folder.remove(path, root: root) }
    }
}

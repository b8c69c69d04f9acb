import Base
import SystemPackage

/// One look at one folder: which stream stands where, what is new, what is gone.
///
/// A listing is not of one moment, and between it and a look at a file everything may have moved on. A rename shows by inode and needs no
/// more. Where something has to be concluded (a file is new, or gone, or a copy), the source's names and inodes are looked at a second
/// time: only if they are the same were they all there at once. If they aren't, the source is held until the next look.
struct FolderScan {
    let tailer: FileTailer
    let folder: TailedFolder
    let entries: [DirectoryEntry]
    let now: Instant

    /// The files of a source in this folder.
    struct Siblings {
        var found: [FoundFile] = []
        var streams: [FileID: FileStream] = [:]
        /// The first bytes of files of which nothing was known before this look, empty where they can't be read. They count only if nothing moved meanwhile: else they may
        /// be what came after a copy was made and the file cut.
        var peeked: [FileID: ContentMark] = [:]
        /// A file could not be compared with what is known of it, since it had moved on.
        var isUncertain = false
    }

    func run() {
        var siblings: [String: Siblings] = [:]
        var seen: Set<FileID> = []
        var others: [String] = []
        var vanished: Set<String> = []
        let before = folder.streams.values.filter { $0.location?.folder == folder.path }.sorted { $0.id < $1.id }
        folder.streams = [:]
        let isKnown = isKnown()
        for entry in entries where !entry.isDirectory {
            guard let place = tailer.patterns.place(of: entry.name, in: folder.path, isKnown: isKnown) else {
                others.append(entry.name)
                continue
            }
            guard let status = status(entry.name) else {
                vanished.insert(entry.name)
                continue
            }
            guard seen.insert(FileID(status)).inserted else { continue }
            let found = FoundFile(
                location: FileLocation(folder: folder.path, name: entry.name, age: place.age), file: FileID(status),
                size: status.size, modified: status.modified, isMatch: place.isMatch)
            let source = tailer.source(place)
            siblings[source.path, default: Siblings()].found.append(found)
            give(found, of: source, in: &siblings[source.path]!)
        }
        let missing = before.filter { !isHere($0) } + missingBefore()
        if !missing.isEmpty {
            findStrays(among: others, &seen)
            for stream in missing where !isHere(stream) && stream.location?.folder == folder.path {
                tailer.loseName(of: stream, now: now)
            }
        }
        conclude(siblings, vanished: vanished)
    }

    // MARK: - Looking

    private func isKnown() -> (String) -> Bool {
        let names = Set(entries.lazy.filter { !$0.isDirectory }.map(\.name))
        let prefixCount = folder.path == "/" ? 1 : folder.path.utf8.count + 1
        return { path in
            tailer.sources[path]?.streams.isEmpty == false
                || names.contains(String(decoding: path.utf8.dropFirst(prefixCount), as: UTF8.self))
        }
    }

    private func status(_ name: String) -> FileStatus? {
        guard let status = try? tailer.files.status(FilePath(folder.path(of: name))), status.kind == .file else {
            return nil
        }
        return status
    }

    private func isHere(_ stream: FileStream) -> Bool {
        stream.location.map { $0.folder == folder.path && folder.streams[$0.name] === stream } ?? false
    }

    private func missingBefore() -> [FileStream] {
        sourcesHere.flatMap(\.streams).filter(\.isMissing)
    }

    private var sourcesHere: [TailedSource] {
        (tailer.sourcesByFolder[folder.path] ?? []).compactMap { tailer.sources[$0] }.sorted { $0.path < $1.path }
    }

    /// Gives the file to the stream that stands in it, if one does.
    private func give(_ found: FoundFile, of source: TailedSource, in siblings: inout Siblings) {
        for stream in tailer.streams(in: found.file).sorted(by: { $0.id > $1.id }) {
            switch tailer.stands(stream, in: found, asOwn: stream.source === source) {
            case false?:
                tailer.detach(stream, now: now)
                continue
            case nil: siblings.isUncertain = true
            case true?: break
            }
            tailer.settle(stream, in: found, now: now)
            if stream.source === source {
                siblings.streams[found.file] = stream
            } else {
                // Renamed to a name of another source: it stays with its own.
                siblings.found.removeLast()
            }
            if stream.isBlank { peek(found, in: &siblings) }
            return
        }
        if !source.passed.contains(found.trace) { peek(found, in: &siblings) }
    }

    private func peek(_ found: FoundFile, in siblings: inout Siblings) {
        guard found.size > 0, !found.location.isCompressed else { return }
        siblings.peeked[found.file] = tailer.firstBytes(of: found) ?? .empty
    }

    /// Files with other names, for streams that lost theirs.
    private func findStrays(among names: [String], _ seen: inout Set<FileID>) {
        for name in names {
            guard let status = status(name), !tailer.streams(in: FileID(status)).isEmpty,
                seen.insert(FileID(status)).inserted
            else { continue }
            let found = FoundFile(
                location: FileLocation(folder: folder.path, name: name, age: .stray), file: FileID(status),
                size: status.size, modified: status.modified, isMatch: false)
            // By an inode alone it could be any file.
            for stream in tailer.streams(in: found.file)
            where !stream.isBlank && tailer.stands(stream, in: found, asOwn: true) == true {
                tailer.settle(stream, in: found, now: now)
                break
            }
        }
    }

    // MARK: - Concluding

    /// - Parameter vanished: what was listed, and could not be looked at. A link that leads nowhere stays so; another name was given away.
    private func conclude(_ siblings: [String: Siblings], vanished: Set<String>) {
        var open: [(source: TailedSource, siblings: Siblings, decisions: [Lineage.Decision])] = []
        for path in Set(siblings.keys).union(sourcesHere.map(\.path)).sorted() {
            guard let source = tailer.sources[path] else { continue }
            let here = siblings[path] ?? Siblings()
            if isQuiet(source, here) {
                source.passed.formIntersection(here.found.map(\.trace))
                tailer.release(source, now: now)
            } else {
                open.append((source, here, tailer.decide(source, here)))
            }
        }
        guard !open.isEmpty else { return }
        let names = (try? tailer.files.list(FilePath(folder.path))).map(Self.fileNames)
        let changed = names.map { names in
            names.symmetricDifference(Self.fileNames(entries)).union(vanished.filter { status($0) != nil })
        }
        for (source, here, decisions) in open {
            if let changed, isUnmoved(here, of: source, changed) {
                tailer.conclude(source, here, decisions, now: now)
            } else {
                source.isHeld = true
                folder.isDirty = true
            }
        }
    }

    /// Every stream stands where its inode says, and there is nothing else.
    private func isQuiet(_ source: TailedSource, _ here: Siblings) -> Bool {
        source.isKnown && here.peeked.isEmpty && source.streams.allSatisfy { $0.location != nil }
            && here.found.allSatisfy { here.streams[$0.file] != nil || source.passed.contains($0.trace) }
            && source.streams.allSatisfy(\.isVerified) && !here.isUncertain
    }

    /// Whether the files are still those, under the same names, and none was cut.
    private func isUnmoved(_ siblings: Siblings, of source: TailedSource, _ changedNames: Set<String>) -> Bool {
        !changedNames.contains { tailer.patterns.names(source.path, $0, in: folder.path) }
            && siblings.found.allSatisfy { found in
                guard let status = status(found.location.name), FileID(status) == found.file, status.size >= found.size
                else { return false }
                guard found.location.age == .current, siblings.found.count > 1 else { return true }
                let prefix = siblings.peeked[found.file] ?? siblings.streams[found.file]?.position.prefix
                return prefix.map { tailer.beginsAsBefore(found, $0) } ?? true
            }
    }

    private static func fileNames(_ entries: [DirectoryEntry]) -> Set<String> {
        Set(entries.lazy.filter { !$0.isDirectory }.map(\.name))
    }
}

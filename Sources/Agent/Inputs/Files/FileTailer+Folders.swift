import Base
import SystemPackage

/// Which folders to look into.
extension FileTailer {
    private static let depthMax = 32
    private static let foldersMax = 10_000

    /// Walks all folders that may hold matches, and looks at every file in them.
    func reconcile(now: Instant) {
        nextReconcile = now + settings.reconcileInterval
        var visited = Visited()
        for root in patterns.roots.sorted() {
            var path = root
            while (try? files.status(FilePath(path)))??.kind != .directory, path != "/" {
                path = FilePath(path).removingLastComponent().string
            }
            visit(path, isWaiting: path != root, depth: 0, &visited, now: now)
        }
        for path in folders.keys.sorted() where !visited.paths.contains(path) { leave(folders[path]!, now: now) }
        if !wasDiscovered { discovered(now: now) }
    }

    /// All that stood there at first has its position; what is found from now on is new, in this run and in those to come.
    private func discovered(now: Instant) {
        guard !sources.values.contains(where: { $0.isHeld && !$0.isKnown }) else {
            nextReconcile = min(nextReconcile, now + .milliseconds(20))
            return
        }
        wasDiscovered = true
        for pattern in patterns.all where marks.insert(PatternMark(pattern: pattern)).inserted {
            events.append(
                .positioned(
                    StreamCheckpoint(
                        stream: nextStreamID(), source: SourceKey(settings.host + ":" + pattern),
                        position: PatternMark(pattern: pattern).encoded)))
        }
        for path in sources.keys.sorted() {
            for stream in sources[path]!.streams where stream.isMissing { attend(stream, now: now) }
        }
    }

    private func visit(_ path: String, isWaiting: Bool, depth: Int, _ visited: inout Visited, now: Instant) {
        guard depth < Self.depthMax, visited.paths.count < Self.foldersMax, !visited.paths.contains(path),
            let status = try? files.status(FilePath(path)), visited.folders.insert(FileID(status)).inserted
        else { return }
        visited.paths.insert(path)
        let folder: TailedFolder
        if let known = folders[path], known.isWaiting == isWaiting {
            folder = known
        } else {
            if let known = folders[path] { leave(known, now: now) }
            folder = TailedFolder(path: path, isWaiting: isWaiting)
            folders[path] = folder
        }
        if folder.watch == nil, !patterns.polls(path), let watch = notifier.watch(path) {
            folder.watch = watch
            watches[watch] = folder
        }
        if folder.watch == nil, nextPoll == .distantFuture { nextPoll = now + settings.pollInterval }
        if isWaiting {
            folder.isDirty = false
            return
        }
        for entry in scan(folder, now: now) where entry.isDirectory {
            let below = folder.path(of: entry.name)
            if patterns.mayMatchBelow(below) {
                visit(below, isWaiting: false, depth: depth + 1, &visited, now: now)
            }
        }
    }

    /// Folders by path and by inode: links may lead in circles.
    private struct Visited {
        var paths: Set<String> = []
        var folders: Set<FileID> = []
    }

    private func leave(_ folder: TailedFolder, now: Instant) {
        if let watch = folder.watch {
            notifier.unwatch(watch)
            watches[watch] = nil
        }
        loseAll(in: folder, now: now)
        folders[folder.path] = nil
    }

    private func loseAll(in folder: TailedFolder, now: Instant) {
        for stream in folder.streams.values.sorted(by: { $0.id < $1.id }) { loseName(of: stream, now: now) }
    }

    func scanDirtyFolders(now: Instant) {
        for path in folders.keys.sorted() {
            guard let folder = folders[path], folder.isDirty, folder.nextScan <= now else { continue }
            if folder.isWaiting {
                folder.isDirty = false
                nextReconcile = min(nextReconcile, now + .milliseconds(10))
            } else {
                scan(folder, now: now)
            }
        }
    }

    /// Looks at every file of a folder. Returns what stands there.
    @discardableResult
    func scan(_ folder: TailedFolder, now: Instant) -> [DirectoryEntry] {
        folder.isDirty = false
        let entries: [DirectoryEntry]
        do throws(FileError) {
            entries = try files.list(FilePath(folder.path))
            if troubled.remove(folder.path) != nil { events.append(.recovered(source: folder.path)) }
        } catch {
            if error.code == .noSuchFile {
                loseAll(in: folder, now: now)
                nextReconcile = min(nextReconcile, now + .seconds(1))
            } else if troubled.insert(folder.path).inserted {
                events.append(.trouble(source: folder.path, detail: "\(error)"))
            }
            return []
        }
        // A scan costs with the number of files; however fast they rotate, most of the time is left for reading.
        folder.nextScan = now + .milliseconds(2) + .microseconds(20 * entries.count)
        FolderScan(tailer: self, folder: folder, entries: entries, now: now).run()
        return entries
    }
}

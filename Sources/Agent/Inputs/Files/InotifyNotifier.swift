#if canImport(Glibc)
    import Glibc
#endif

/// inotify (7): one descriptor, one watch for each folder.
final class InotifyNotifier: ChangeNotifier {
    private static let folderMask = UInt32(
        IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
    private static let bufferBytes = 64 << 10
    /// File systems that others change behind this kernel's back.
    private static let blindTypes: Set<Substring> = ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse"]

    private var number: CInt
    private let buffer: UnsafeMutableRawBufferPointer
    /// Watches on what links lead to: the folder and name of the link.
    private var targets: [CInt: (folder: WatchID, name: String)] = [:]

    /// Nil where the kernel gives no more inotify instances.
    init?() {
        number = inotify_init1(CInt(IN_NONBLOCK) | CInt(IN_CLOEXEC))
        guard number >= 0 else { return nil }
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 16)
    }

    deinit {
        close()
        buffer.deallocate()
    }

    var descriptor: CInt? { number >= 0 ? number : nil }

    func watch(_ folder: String) -> WatchID? {
        guard number >= 0, !Self.isBlind(folder) else { return nil }
        let watch = inotify_add_watch(number, folder, Self.folderMask)
        return watch >= 0 ? WatchID(rawValue: watch) : nil
    }

    func watchTarget(of path: String, name: String, in folder: WatchID) -> Bool {
        var status = stat()
        guard number >= 0, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else {
            return false
        }
        let watch = inotify_add_watch(number, path, UInt32(IN_MODIFY))
        guard watch >= 0 else { return false }
        targets[watch] = (folder, name)
        return true
    }

    func unwatch(_ watch: WatchID) {
        if number >= 0 { inotify_rm_watch(number, watch.rawValue) }
    }

    func drain(_ body: (Change) -> Void) -> Bool {
        guard number >= 0 else { return false }
        let count = Glibc.read(number, buffer.baseAddress, buffer.count)
        guard count > 0 else { return false }
        let header = MemoryLayout<inotify_event>.size
        var index = 0
        while index + header <= count {
            let event = buffer.loadUnaligned(fromByteOffset: index, as: inotify_event.self)
            let nameStart = index + header
            index = nameStart + Int(event.len)
            if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
                body(.overflow)
                continue
            }
            if let target = targets[event.wd] {
                if event.mask & UInt32(IN_IGNORED) != 0 { targets[event.wd] = nil }
                body(.written(target.folder, name: target.name))
                continue
            }
            let watch = WatchID(rawValue: event.wd)
            if event.mask & UInt32(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF) != 0 {
                body(.folderGone(watch))
            } else if event.len > 0 {
                let name = String(
                    cString: buffer.baseAddress!.advanced(by: nameStart).assumingMemoryBound(to: CChar.self))
                let isFolder = event.mask & UInt32(IN_ISDIR) != 0
                let isWritten = event.mask & UInt32(IN_MODIFY) != 0
                body(isWritten ? .written(watch, name: name) : .renamed(watch, name: name, isFolder: isFolder))
            }
        }
        return true
    }

    func close() {
        if number >= 0 { _ = Glibc.close(number) }
        number = -1
    }

    /// Looks up the folder's file system in the kernel's list of mounts.
    private static func isBlind(_ folder: String) -> Bool {
        guard let list = fopen("/proc/self/mounts", "re") else { return false }
        defer { fclose(list) }
        var best = 0
        var blind = false
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, list) > 0 {
            let fields = String(cString: line!).split(separator: " ")
            guard fields.count > 2 else { continue }
            let mount = fields[1]
            guard folder == mount || folder.hasPrefix(mount.hasSuffix("/") ? String(mount) : mount + "/") else {
                continue
            }
            if mount.count >= best {
                best = mount.count
                blind = blindTypes.contains(fields[2]) || fields[2].hasPrefix("fuse.")
            }
        }
        return blind
    }
}

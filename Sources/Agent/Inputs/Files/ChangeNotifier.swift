/// A folder under watch.
struct WatchID: Hashable, Sendable {
    var rawValue: Int32
}

/// What was seen in watched folders. Names are given as they stand in the folder.
enum Change: Equatable, Sendable {
    /// Bytes were written to the file, or it was cut.
    case written(WatchID, name: String)
    /// The name appeared, vanished, or means another file now.
    case renamed(WatchID, name: String, isFolder: Bool)
    /// The folder itself is gone; its watch is over.
    case folderGone(WatchID)
    /// Changes were lost: look at everything.
    case overflow
}

/// The seam between the tailer and inotify.
protocol ChangeNotifier: AnyObject {
    /// Readable when `drain` would find something; nil where nothing ever wakes.
    var descriptor: CInt? { get }

    /// Watches the files and names in a folder, not those in folders below. Nil where changes can't be seen: the folder has to be polled.
    func watch(_ folder: String) -> WatchID?

    /// Watches what a symbolic link leads to, if the path is one: `written` then comes for the link's name. True where it watches one now:
    /// what was written before isn't told.
    func watchTarget(of path: String, name: String, in folder: WatchID) -> Bool

    func unwatch(_ watch: WatchID)

    /// Hands out what happened since the last call; a bounded number of changes, so call again while it returns true.
    func drain(_ body: (Change) -> Void) -> Bool

    func close()
}

/// Sees nothing: all folders are polled.
final class NoNotifier: ChangeNotifier {
    var descriptor: CInt? { nil }
    func watch(_ folder: String) -> WatchID? { nil }
    func watchTarget(of path: String, name: String, in folder: WatchID) -> Bool { false }
    func unwatch(_ watch: WatchID) {}
    func drain(_ body: (Change) -> Void) -> Bool { false }
    func close() {}
}

import Base

@testable import Agent

/// Tells a tailer what the writers of its host do, as inotify would.
final class SimulatedNotifier: ChangeNotifier {
    private var watches: [String: WatchID] = [:]
    private var changes: [Change] = []
    private var watchCount: Int32 = 0

    var descriptor: CInt? { nil }

    func watch(_ folder: String) -> WatchID? {
        if let known = watches[folder] { return known }
        watchCount += 1
        watches[folder] = WatchID(rawValue: watchCount)
        return watches[folder]
    }

    func watchTarget(of path: String, name: String, in folder: WatchID) -> Bool { false }
    func unwatch(_ watch: WatchID) { watches = watches.filter { $0.value != watch } }
    func close() {}

    func drain(_ body: (Change) -> Void) -> Bool {
        let all = changes
        changes = []
        for change in all { body(change) }
        return false
    }

    func written(_ name: String, in folder: String) {
        if let watch = watches[folder] { changes.append(.written(watch, name: name)) }
    }

    func renamed(_ name: String, in folder: String, isFolder: Bool = false) {
        if let watch = watches[folder] { changes.append(.renamed(watch, name: name, isFolder: isFolder)) }
    }
}

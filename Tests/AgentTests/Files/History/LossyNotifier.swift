import Base
import TestKit

@testable import Agent

/// Tells the tailer of one life what happens in its folders, as inotify does: late, with overflows, or not at all.
final class LossyNotifier: ChangeNotifier {
    private var watches: [String: WatchID] = [:]
    private var changes: [Change] = []
    private var watchCount: Int32 = 0
    private let isBlind: Bool
    /// Watched links: the folder of what they lead to, and the name there.
    private var targets: [String: (watch: WatchID, name: String)] = [:]
    private let resolve: (String) -> String
    /// More than this is an overflow.
    var changesMax = 200

    init(isBlind: Bool, resolve: @escaping (String) -> String) {
        self.isBlind = isBlind
        self.resolve = resolve
    }

    var descriptor: CInt? { nil }
    var hasChanges: Bool { !changes.isEmpty }

    func watch(_ folder: String) -> WatchID? {
        guard !isBlind else { return nil }
        if let known = watches[folder] { return known }
        watchCount += 1
        watches[folder] = WatchID(rawValue: watchCount)
        return watches[folder]
    }

    func watchTarget(of path: String, name: String, in folder: WatchID) -> Bool {
        let target = resolve(path)
        guard target != path else { return false }
        targets[target] = (folder, name)
        return true
    }

    func unwatch(_ watch: WatchID) { watches = watches.filter { $0.value != watch } }
    func close() {}

    func drain(_ body: (Change) -> Void) -> Bool {
        let all = changes
        changes = []
        for change in all { body(change) }
        return false
    }

    private func add(_ change: Change) {
        if changes.last == change { return }
        changes.append(change)
        if changes.count > changesMax { changes = [.overflow] }
    }

    /// The queue of the kernel ran over.
    func overflow() { changes = [.overflow] }

    func written(_ path: String) {
        let (folder, name) = Self.split(path)
        if let watch = watches[folder] { add(.written(watch, name: name)) }
        if let target = targets[path] { add(.written(target.watch, name: target.name)) }
    }

    func renamed(_ path: String) {
        let (folder, name) = Self.split(path)
        if let watch = watches[folder] { add(.renamed(watch, name: name, isFolder: false)) }
    }

    private static func split(_ path: String) -> (String, String) {
        let slash = path.lastIndex(of: "/")!
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}

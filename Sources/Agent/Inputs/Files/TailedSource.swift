import Base

/// What a source key stands for: a path, the file there, and those that were rotated away from it.
final class TailedSource {
    let path: String
    let folder: String
    let pathHash: UInt64
    let settings: FileInputSettings
    let origin: LineOrigin
    /// In the order in which they were written, which is that of their ids; they are read in this order.
    var streams: [FileStream] = []
    /// Waits for its turn to be read.
    var isQueued = false
    /// Its files are on the move: nothing of it is read before its folder was looked at again.
    var isHeld = false
    /// Files in its folder that are nothing new: read long ago, copies of what is read elsewhere, or older than the source.
    var passed: Set<FoundFile.Trace> = []
    /// Its folder was looked at, or a checkpoint says that it was.
    var isKnown: Bool
    /// Nothing of it is read before this, so that lines gather.
    var notBefore = Instant.zero

    init(path: String, settings: FileInputSettings, host: String, isKnown: Bool) {
        self.path = path
        self.settings = settings
        self.isKnown = isKnown
        folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "/"
        pathHash = StableHash.of(path)
        origin = LineOrigin(
            source: SourceKey(host + path), topic: settings.topic, headers: settings.headers, relief: settings.relief)
    }
}

/// A folder that holds files of ours, or might.
final class TailedFolder {
    let path: String
    /// Nil where it has to be polled.
    var watch: WatchID?
    /// It is only watched for a folder that is to appear below it.
    let isWaiting: Bool
    /// The streams whose files stand in it, by name.
    var streams: [String: FileStream] = [:]
    var isDirty = true
    var nextScan = Instant.zero

    init(path: String, isWaiting: Bool) {
        self.path = path
        self.isWaiting = isWaiting
    }

    func path(of name: String) -> String { path == "/" ? "/" + name : path + "/" + name }
}

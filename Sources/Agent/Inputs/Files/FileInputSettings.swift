import Base

/// One `file` source: which files, and what becomes of their lines.
public struct FileInputSettings: Sendable, Equatable {
    public enum Start: String, Sendable, CaseIterable { case beginning, end }
    public enum LongLines: String, Sendable, CaseIterable { case cut, skip }

    /// Patterns of absolute paths: `*`, `?`, `[a-z]`, and `**` for any number of folders.
    public var paths: [String]
    /// Patterns of paths that are left alone though they match.
    public var exclude: [String]
    public var topic: String
    /// The value of the header `format`, for whoever parses the lines; none where nil.
    public var format: String?
    /// Headers for every record, after `format`.
    public var labels: [(name: String, value: String)]
    /// Where to begin with files that stood there when the agent first ran. Files that come later are read from their beginning.
    public var start: Start
    /// Files that stood there when the agent first ran and had not been written to for so long begin at their end.
    public var ignoreOlder: Duration?
    /// Changes are found by looking each `FileTailerSettings.pollInterval`: for folders that other machines write to. It is done
    /// without being asked for on file systems that are known to hide such changes (NFS, CIFS, FUSE, …).
    public var polls = false
    /// The longest line that is delivered whole, without its newline.
    public var lineBytesMax: ByteCount
    /// What becomes of longer ones; counted either way.
    public var longLines: LongLines
    /// Lines that make one record; nil where each line is one.
    public var multiline: Multiline?
    /// What is left out or redacted.
    public var relief: ReliefSettings?

    public init(
        paths: [String], exclude: [String] = [], topic: String, format: String? = nil,
        labels: [(name: String, value: String)] = [], start: Start = .beginning,
        lineBytesMax: ByteCount = SealSettings.lineBytesMax,
        longLines: LongLines = .cut
    ) {
        self.paths = paths
        self.exclude = exclude
        self.topic = topic
        self.format = format
        self.labels = labels
        self.start = start
        self.lineBytesMax = lineBytesMax
        self.longLines = longLines
    }

    /// What `nginx: {}` stands for: access logs to `nginx.access`, error logs to `nginx.error`.
    public static func nginx(folder: String = "/var/log/nginx") -> [FileInputSettings] {
        [
            FileInputSettings(paths: ["\(folder)/*access*.log"], topic: "nginx.access", format: "nginx_access"),
            FileInputSettings(paths: ["\(folder)/*error*.log"], topic: "nginx.error", format: "nginx_error"),
        ]
    }

    public static func == (left: FileInputSettings, right: FileInputSettings) -> Bool {
        left.paths == right.paths && left.exclude == right.exclude && left.topic == right.topic
            && left.format == right.format && left.labels.elementsEqual(right.labels, by: ==)
            && left.start == right.start && left.lineBytesMax == right.lineBytesMax
            && left.longLines == right.longLines && left.ignoreOlder == right.ignoreOlder && left.polls == right.polls
            && left.multiline == right.multiline && left.relief == right.relief
    }

    var headers: [(name: String, value: String)] { (format.map { [("format", $0)] } ?? []) + labels }
}

/// What holds for all files of an agent.
public struct FileTailerSettings: Sendable, Equatable {
    /// First part of every source key.
    public var host: String
    /// Open files at a time; more than these wait for their turn. Up to `descriptorsReserve` more where all of them have lost their names
    /// and couldn't be opened again, and two more for a moment, where files are compared.
    public var descriptorsMax = 128
    static let descriptorsReserve = 4
    /// How often folders are looked at where no change can be seen coming (NFS, no inotify left).
    public var pollInterval: Duration = .seconds(1)
    /// How often everything is looked at, in case a change was not seen.
    public var reconcileInterval: Duration = .seconds(60)
    /// How long a file that was renamed or removed is waited for after its last byte came: then it counts as finished, and a last line
    /// without its newline is delivered as it stands.
    public var linger: Duration = .seconds(30)
    /// How long a file is left alone after it was read to its end, so that lines gather.
    public var readDelay: Duration = .milliseconds(10)
    /// When a file that brings nothing is closed; it is opened again when it does.
    public var idleClose: Duration = .seconds(300)
    /// Compressed files of a source that are remembered, the youngest, so that what is older is known to be old.
    public var rememberedMax = 4
    /// The same for files that were not compressed: late lines in these are still found.
    public var rememberedPlainMax = 32
    /// When a source is forgotten whose folder is gone.
    public var forgetAfter: Duration = .seconds(86_400)
    /// Size of a read.
    public var blockBytes: ByteCount = .kib(256)

    public init(host: String) { self.host = host }
}

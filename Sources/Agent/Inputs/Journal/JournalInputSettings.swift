import Base

/// One `journal` source: which entries of which journal, and where they go.
public struct JournalInputSettings: Sendable, Equatable {
    /// A folder of journal files; nil is this machine's journal.
    public var directory: String?
    /// A journal namespace of this machine (`man systemd-journald`, LogNamespace=).
    public var namespace: String?
    /// Tells several sources on one journal apart; a checkpoint belongs to the name.
    public var name: String?
    /// Only entries of these units, as `journalctl -u` finds them; all where empty. A name without a suffix is a service.
    public var units: [String]
    /// Only entries with these syslog identifiers; all where empty. With `units` both must hold, as for journalctl.
    public var identifiers: [String]
    /// Only entries at least this important: 0 is `emerg`, 7 is `debug`.
    public var priority: Int?
    /// Only entries since this machine started.
    public var isThisBootOnly = false
    /// Whether what the agent itself says is shipped too. By default it is not: shipping it could make more of it.
    public var shipsOwnMessages = false
    /// The unit that the agent runs in, whose entries are left out; nil leaves out none.
    public var ownUnit: String?
    public var topic: String
    /// Headers for every record, after `format: journal`.
    public var labels: [(name: String, value: String)]
    /// The longest line of JSON for an entry. A field that doesn't fit is written as null, as journalctl does, and counted.
    public var entryBytesMax = SealSettings.lineBytesMax
    /// What is left out or redacted, matched against the entry's JSON.
    public var relief: ReliefSettings?
    /// What is run to read the journal, in a process of its own; options are added to it.
    public var readerCommand = ["/proc/self/exe", "journal-reader"]
    /// How long a reader that ended is left alone at first; doubles up to half a minute while it gets nowhere.
    public var restartDelay = Duration.milliseconds(100)

    public init(
        directory: String? = nil, units: [String] = [], identifiers: [String] = [], priority: Int? = nil,
        topic: String = "journal", labels: [(name: String, value: String)] = []
    ) {
        self.directory = directory
        self.units = units
        self.identifiers = identifiers
        self.priority = priority
        self.topic = topic
        self.labels = labels
    }

    /// What checkpoints know the journal by: the filters may change, its place goes on.
    var journalName: String {
        let place = directory ?? namespace.map { "namespace:\($0)" } ?? "system"
        return name.map { "\(place)#\($0)" } ?? place
    }

    /// For an operator.
    var place: String {
        directory.map { "journal in \($0)" } ?? namespace.map { "journal namespace \($0)" } ?? "systemd journal"
    }

    var headers: [(name: String, value: String)] { [("format", "journal")] + labels }

    public static func == (left: JournalInputSettings, right: JournalInputSettings) -> Bool {
        left.directory == right.directory && left.namespace == right.namespace && left.name == right.name
            && left.units == right.units && left.identifiers == right.identifiers && left.priority == right.priority
            && left.isThisBootOnly == right.isThisBootOnly && left.shipsOwnMessages == right.shipsOwnMessages
            && left.ownUnit == right.ownUnit && left.topic == right.topic
            && left.labels.elementsEqual(right.labels, by: ==) && left.entryBytesMax == right.entryBytesMax
            && left.readerCommand == right.readerCommand && left.restartDelay == right.restartDelay
            && left.relief == right.relief
    }

    /// `emerg` … `debug`, as `journalctl -p` knows them, in the order of their numbers.
    static let priorityNames = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]

    /// Leaves out what the agent itself says, where this is the journal that it says it to.
    public mutating func leaveOut(ownUnit: String?) {
        guard directory == nil, namespace == nil, !shipsOwnMessages else { return }
        self.ownUnit = ownUnit
    }

    func readerOptions(after position: JournalPosition?, passingOver count: Int) -> JournalReaderOptions {
        var options = JournalReaderOptions()
        options.directory = directory
        options.namespace = namespace
        options.units = units
        options.identifiers = identifiers
        options.leaveOutUnit = ownUnit
        options.priority = priority
        options.isThisBootOnly = isThisBootOnly
        options.entryBytesMax = entryBytesMax.bytes
        options.passOver = count
        options.afterCursor = position?.cursorText
        options.sinceRealtime = position.map { UInt64(clamping: $0.realtimeMicroseconds) }
        return options
    }
}

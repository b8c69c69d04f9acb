import CSystemd

#if canImport(Glibc)
    import Glibc
#endif

/// Why a reader can't go on.
struct JournalFailure: Error, CustomStringConvertible {
    var doing: String
    /// An error number, positive.
    var code: CInt

    var description: String { "\(doing): \(String(cString: strerror(code)))" }
}

/// What the fields of a cursor say: `s=… ;i=…;b=…;m=…;t=…;x=…` (`sd_journal_get_cursor`).
struct JournalCursor: Equatable {
    var text: String
    /// The sequence that entries are numbered in (`s`): that of a journal from one installation on; another file may have another.
    var sequence: Substring = ""
    /// The entry's number there (`i`).
    var number: UInt64 = 0
    /// What stays with an entry that is copied into another file: boot, both times and the hash of its fields.
    var entry: [Substring] = []
    var realtime: UInt64?

    init(_ text: String) {
        self.text = text
        for part in text.split(separator: ";") where part.count > 2 {
            let value = part.dropFirst(2)
            switch part.prefix(2) {
            case "s=": sequence = value
            case "i=": number = UInt64(value, radix: 16) ?? 0
            case "t=":
                realtime = UInt64(value, radix: 16)
                entry.append(part)
            default: entry.append(part)
            }
        }
    }

    /// Both are numbered in one sequence, this one after the other.
    func isLater(than other: JournalCursor) -> Bool { sequence == other.sequence && number > other.number }
}

/// An open journal: libsystemd's handle and where it stands.
final class JournalHandle {
    let journal: OpaquePointer
    private let options: JournalReaderOptions
    /// The first entry is left out if it is this one: a seek lands on it, and it was read before.
    private var read: String?

    init(_ options: JournalReaderOptions) throws(JournalFailure) {
        self.options = options
        var opened: OpaquePointer?
        let result: CInt
        if let directory = options.directory {
            result = sd_journal_open_directory(&opened, directory, 0)
        } else if let namespace = options.namespace {
            result = sd_journal_open_namespace(&opened, namespace, CInt(SD_JOURNAL_LOCAL_ONLY))
        } else {
            result = sd_journal_open(&opened, CInt(SD_JOURNAL_LOCAL_ONLY))
        }
        guard result >= 0, let opened else {
            throw JournalFailure(doing: "opening \(options.directory ?? "the journal")", code: -result)
        }
        journal = opened
        // One more than fits, to see that it doesn't.
        sd_journal_set_data_threshold(journal, options.entryBytesMax + 128)
        // Changes are watched from here on; asked later, what came meanwhile would be missed.
        _ = sd_journal_get_fd(journal)
    }

    deinit { sd_journal_close(journal) }

    static func check(_ result: CInt, _ doing: String) throws(JournalFailure) {
        if result < 0 { throw JournalFailure(doing: doing, code: -result) }
    }

    /// Whether there is any file that can be read; of a folder of its own this isn't known.
    var hasFiles: Bool {
        options.directory != nil || sd_journal_has_persistent_files(journal) > 0
            || sd_journal_has_runtime_files(journal) > 0
    }

    /// Entries are numbered without gaps as this user sees them: nothing is filtered out, and every file may be read.
    var isComplete: Bool {
        if hasFilters { return false }
        if let directory = options.directory { return Self.isReadable(directory) }
        let suffix = options.namespace.map { ".\($0)" } ?? ""
        guard let machine = Self.machineID() else { return false }
        return ["/run/log/journal", "/var/log/journal"].allSatisfy { Self.isReadable("\($0)/\(machine)\(suffix)") }
    }

    private static func machineID() -> String? {
        var id = sd_id128_t()
        guard sd_id128_get_machine(&id) >= 0 else { return nil }
        return String(decoding: hex(id), as: UTF8.self)
    }

    /// Whether all journal files in the folder and in those just below may be read. A folder that isn't there hides nothing.
    private static func isReadable(_ folder: String, depth: Int = 1) -> Bool {
        guard let entries = opendir(folder) else { return errno == ENOENT }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let path = "\(folder)/\(name)"
            if name.hasSuffix(".journal") || name.hasSuffix(".journal~") {
                guard access(path, R_OK) == 0 || errno == ENOENT else { return false }
            } else if depth > 0, entry.pointee.d_type == UInt8(DT_DIR), !name.hasPrefix(".") {
                guard isReadable(path, depth: depth - 1) else { return false }
            }
        }
        return true
    }

    /// The next entry; false at the end.
    func next() throws(JournalFailure) -> Bool {
        while true {
            let result = sd_journal_next(journal)
            try Self.check(result, "reading the next entry")
            guard result > 0 else { return false }
            guard let read else { return true }
            self.read = nil
            if sd_journal_test_cursor(journal, read) <= 0 { return true }
        }
    }

    /// Where it stands.
    func cursor() throws(JournalFailure) -> JournalCursor {
        var text: UnsafeMutablePointer<CChar>?
        try Self.check(sd_journal_get_cursor(journal, &text), "reading a cursor")
        defer { free(text) }
        return JournalCursor(String(cString: text!))
    }

    /// The last entry of all, whatever the filters say; nil where there is none. Where it stands is lost: `resume` has to follow.
    func tail() throws(JournalFailure) -> JournalCursor? {
        sd_journal_flush_matches(journal)
        try Self.check(sd_journal_seek_tail(journal), "seeking the end")
        guard sd_journal_previous(journal) > 0 else { return nil }
        return try cursor()
    }

    // MARK: - Where to go on

    func seekHead() throws(JournalFailure) {
        try applyFilters()
        try Self.check(sd_journal_seek_head(journal), "seeking the beginning")
    }

    func seek(realtime: UInt64) throws(JournalFailure) {
        try applyFilters()
        try Self.check(sd_journal_seek_realtime_usec(journal, realtime), "seeking a time")
    }

    /// Goes on after the entry, and says what is known where it is gone and others may be too.
    func resume(after last: JournalCursor, realtime: UInt64?) throws(JournalFailure) -> String? {
        // Without filters, so that it is found though they have changed.
        sd_journal_flush_matches(journal)
        if sd_journal_seek_cursor(journal, last.text) >= 0 {
            if sd_journal_next(journal) > 0 {
                if sd_journal_test_cursor(journal, last.text) > 0 {
                    try seek(last, isRead: true)
                    return nil
                }
                if let landed = try? cursor(), landed.isLater(than: last) {
                    try seek(landed, isRead: false)
                    let gone = landed.number - last.number - 1
                    return gone == 0
                        ? nil : "up to \(gone) entries after \(last.text) were removed, filters not counted"
                }
            }
        }
        guard let time = last.realtime ?? realtime else {
            try seekHead()
            return "no entry of the journal is known to follow '\(last.text)': all of it is read"
        }
        // The same entry may stand in another file under another number: journald copies what it kept in memory to the disk.
        try Self.check(sd_journal_seek_realtime_usec(journal, time), "seeking a time")
        for _ in 0..<10_000 {
            guard sd_journal_next(journal) > 0 else { break }
            guard let found = try? cursor() else { break }
            if found.entry == last.entry {
                try seek(found, isRead: true)
                return nil
            }
            if let foundTime = found.realtime, foundTime > time { break }
        }
        try seek(realtime: time + 1)
        return "the last entry that was read (\(last.text)) is gone; reading goes on with what is younger"
    }

    /// Goes on `distance` entries and more after `last`, which itself and what follows it can't be read.
    func seek(beyond last: JournalCursor, by distance: UInt64) throws(JournalFailure) {
        try applyFilters()
        // Files of another sequence are told by the time.
        var place = "s=\(last.sequence);i=\(String(last.number &+ 1 &+ distance, radix: 16))"
        if let time = last.realtime { place += ";t=\(String(time + 1, radix: 16))" }
        try Self.check(sd_journal_seek_cursor(journal, place), "seeking a place after damage")
    }

    /// Goes on `distance` microseconds and more after the first entry there is, or after `time` where that is later.
    func seek(beyondHeadBy distance: UInt64, notBefore time: UInt64?) throws(JournalFailure) {
        var from: UInt64 = 0
        try Self.check(sd_journal_get_cutoff_realtime_usec(journal, &from, nil), "reading when the journal begins")
        try seek(realtime: max(from, time ?? 0) &+ distance)
    }

    private func seek(_ cursor: JournalCursor, isRead: Bool) throws(JournalFailure) {
        try applyFilters()
        try Self.check(sd_journal_seek_cursor(journal, cursor.text), "seeking a cursor")
        read = isRead ? cursor.text : nil
    }

    // MARK: - Filters

    var hasFilters: Bool {
        !options.units.isEmpty || !options.identifiers.isEmpty || options.priority != nil || options.isThisBootOnly
    }

    /// The library finds the entries by its index: what doesn't match isn't even read.
    private func applyFilters() throws(JournalFailure) {
        read = nil
        sd_journal_flush_matches(journal)
        for unit in options.units.map({ $0.contains(".") ? $0 : $0 + ".service" }) {
            // What it says, and what the system says about it, as journalctl does (`add_matches_for_unit`).
            try match("_SYSTEMD_UNIT=\(unit)")
            try either()
            try match("_PID=1", "UNIT=\(unit)")
            try either()
            try match("_UID=0", "OBJECT_SYSTEMD_UNIT=\(unit)")
            try either()
            try match("MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1", "_UID=0", "COREDUMP_UNIT=\(unit)")
            try either()
        }
        try both()
        for identifier in options.identifiers { try match("SYSLOG_IDENTIFIER=\(identifier)") }
        try both()
        if let priority = options.priority { for level in 0...priority { try match("PRIORITY=\(level)") } }
        try both()
        if options.isThisBootOnly {
            var boot = sd_id128_t()
            try Self.check(sd_id128_get_boot(&boot), "reading the boot's id")
            try match("_BOOT_ID=\(String(decoding: Self.hex(boot), as: UTF8.self))")
        }
    }

    private func match(_ fields: String...) throws(JournalFailure) {
        for field in fields {
            var text = field
            let result = text.withUTF8 { sd_journal_add_match(journal, $0.baseAddress!, $0.count) }
            try Self.check(result, "filtering for \(field)")
        }
    }

    private func either() throws(JournalFailure) { try Self.check(sd_journal_add_disjunction(journal), "filtering") }
    private func both() throws(JournalFailure) { try Self.check(sd_journal_add_conjunction(journal), "filtering") }

    static func hex(_ id: sd_id128_t) -> [UInt8] {
        withUnsafeBytes(of: id) { bytes in
            bytes.flatMap {
                [JournalEntryEncoder.hexDigits[Int($0 >> 4)], JournalEntryEncoder.hexDigits[Int($0 & 15)]]
            }
        }
    }
}

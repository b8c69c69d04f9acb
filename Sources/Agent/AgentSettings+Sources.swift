import Base
import Settings

extension AgentSettings {
    /// Reads a whole `agent.yaml`.
    ///
    /// ```yaml
    /// sources:
    ///   - nginx: {folder: /var/log/nginx}
    ///   - file:
    ///       path: ["/srv/app/log/*.log"]       # or one pattern
    ///       exclude: ["/srv/app/log/debug*"]
    ///       topic: app
    ///       format: json                       # header `format` of the records
    ///       labels: {team: shop}               # further headers
    ///       start: beginning                   # or end
    ///       ignore_older: 7d                   # at the first look, files not written to for so long begin at their end
    ///       poll: true                         # don't wait for inotify: another machine writes here
    ///       line_max: 1000KiB
    ///       long_lines: cut                    # or skip
    ///       relief: {drop: ['GET /health'], sample: 0.1, rate: 1000, redact: [{pattern: 'token=[^ ]+', with: '***'}]}
    ///       multiline: {start: '^[0-9]{4}-', timeout: 1s}   # or continuation: …, or preset: java or nginx_error
    ///   - journal: {units: [nginx.service], identifiers: [sshd], priority: warning, topic: journal, labels: {team: shop}}
    ///   - journal: {directory: /srv/journal, name: copy}
    ///   - syslog:
    ///       udp: 127.0.0.1:5514                # or a list; so with tcp and unix
    ///       tcp: 127.0.0.1:5514
    ///       unix: /run/millrace-agent/syslog.sock
    ///       name: syslog
    ///       topic: syslog
    ///       value: json                        # or message, or raw
    ///       format: syslog
    ///       message_max: 64KiB
    ///       connections: 128
    ///       senders: 64
    ///       allow_plaintext: false             # true: other machines may send, unencrypted
    ///       spool: {size: 256MiB, sync: 1s}
    ///   - stdin: {topic: logs, name: stdin, format: json, line_max: 1000KiB}
    /// ```
    ///
    /// - Throws: `SettingsError` with the place and the nearest known key.
    public init(yaml node: YAMLNode, host: String) throws(SettingsError) {
        var root = try node.mapping()
        self = try AgentSettings(reading: &root, host: host) {
            (sources: YAMLNode, settings: inout AgentSettings) throws(SettingsError) in
            try settings.readSources(sources)
        }
        try root.finish()
    }

    private mutating func readSources(_ node: YAMLNode) throws(SettingsError) {
        let sources = try node.sequence()
        guard !sources.isEmpty else {
            throw SettingsError("no source is named: the agent would have nothing to do", at: node.place)
        }
        for source in sources {
            var kinds = try source.mapping()
            let nginx = kinds.nodeOrNull("nginx")
            let file = kinds.nodeOrNull("file")
            let journal = kinds.nodeOrNull("journal")
            let syslog = kinds.nodeOrNull("syslog")
            let stdin = kinds.nodeOrNull("stdin")
            try kinds.finish()
            guard kinds.keys.count == 1 else {
                throw SettingsError(
                    "expected one kind of source here: nginx, file, journal, syslog or stdin", at: source.place)
            }
            if let nginx { try readNginx(nginx) }
            if let file { try readFile(file) }
            if let journal { try readJournal(journal) }
            if let syslog { syslogs.append(try SyslogSettings(yaml: syslog)) }
            if let stdin { try readStdin(stdin) }
        }
    }

    private mutating func readNginx(_ node: YAMLNode) throws(SettingsError) {
        var section = try node.mapping()
        var nginx = FileInputSettings.nginx()
        if let folder = section.node("folder") { nginx = FileInputSettings.nginx(folder: try Self.absolute(folder)) }
        let relief = try ReliefSettings.read(&section)
        for index in nginx.indices { nginx[index].relief = relief }
        files += nginx
        try section.finish()
    }

    private mutating func readFile(_ node: YAMLNode) throws(SettingsError) {
        var section = try node.mapping()
        let path = try section.required("path")
        let paths = try path.strings()
        guard !paths.isEmpty, paths.allSatisfy({ $0.hasPrefix("/") }) else {
            throw SettingsError("expected patterns of absolute paths", at: path.place)
        }
        let topic = try section.required("topic").string()
        var file = FileInputSettings(paths: paths, topic: topic)
        file.exclude = try section.strings("exclude") ?? []
        file.format = try section.string("format")
        file.labels = try Self.labels(&section)
        file.start = try section.choice("start", default: file.start)
        if let age = section.node("ignore_older") { file.ignoreOlder = try age.duration() }
        file.polls = try section.bool("poll", default: file.polls)
        file.lineBytesMax = try section.bytes("line_max", default: file.lineBytesMax, in: .kib(1)...(.gib(1)))
        file.longLines = try section.choice("long_lines", default: file.longLines)
        file.relief = try ReliefSettings.read(&section)
        if let node = section.node("multiline") { file.multiline = try Self.multiline(node) }
        try section.finish()
        files.append(file)
    }

    private static func multiline(_ node: YAMLNode) throws(SettingsError) -> Multiline {
        var section = try node.mapping()
        let (start, continuation) = (section.node("start"), section.node("continuation"))
        let preset = section.node("preset")
        let timeout = try section.duration(
            "timeout", default: Multiline.timeout, in: .milliseconds(10)...(.seconds(3600)))
        try section.finish()
        guard [start, continuation, preset].count(where: { $0 != nil }) == 1 else {
            throw SettingsError("expected one of start, continuation and preset here", at: node.place)
        }
        if let preset {
            var multiline = try preset.choice(Multiline.Preset.self).multiline
            multiline.timeout = timeout
            return multiline
        }
        let pattern = try (start ?? continuation)!.string()
        do throws(InputSettingsError) {
            return start == nil
                ? try Multiline(continuation: pattern, timeout: timeout)
                : try Multiline(start: pattern, timeout: timeout)
        } catch { throw SettingsError(error.message, at: (start ?? continuation)!.place) }
    }

    private mutating func readJournal(_ node: YAMLNode) throws(SettingsError) {
        var section = try node.mapping()
        var journal = JournalInputSettings()
        if let directory = section.node("directory") { journal.directory = try Self.absolute(directory) }
        journal.namespace = try section.string("namespace")
        journal.name = try section.string("name")
        journal.units = try section.strings("units") ?? []
        journal.identifiers = try section.strings("identifiers") ?? []
        if let priority = section.node("priority") { journal.priority = try Self.priority(priority) }
        journal.isThisBootOnly = try section.bool("this_boot_only", default: false)
        journal.shipsOwnMessages = try section.bool("own_messages", default: false)
        journal.topic = try section.string("topic", default: journal.topic)
        journal.labels = try Self.labels(&section)
        journal.entryBytesMax = try section.bytes("entry_max", default: journal.entryBytesMax, in: .kib(4)...(.gib(1)))
        journal.relief = try ReliefSettings.read(&section)
        try section.finish()
        journals.append(journal)
    }

    /// 0 to 7, or the name of one.
    private static func priority(_ node: YAMLNode) throws(SettingsError) -> Int {
        let names = JournalInputSettings.priorityNames
        let text = try node.string()
        if let number = names.firstIndex(of: text) { return number }
        if let number = Int(text), names.indices.contains(number) { return number }
        throw SettingsError.unknownName(text, kind: "priority", known: names, at: node.place)
    }

    private mutating func readStdin(_ node: YAMLNode) throws(SettingsError) {
        guard stdin == nil else {
            throw SettingsError("there is one standard input: name it once", at: node.place)
        }
        stdin = try StdinSettings(yaml: node)
    }

    static func labels(_ section: inout SettingsMapping) throws(SettingsError) -> [(
        name: String, value: String
    )] {
        guard var labels = try section.mapping("labels") else { return [] }
        var pairs: [(name: String, value: String)] = []
        for name in labels.chosenNames() { pairs.append((name, try labels.required(name).string())) }
        return pairs
    }

    static func absolute(_ node: YAMLNode) throws(SettingsError) -> String {
        let path = try node.string()
        guard path.hasPrefix("/") else { throw SettingsError("expected an absolute path", at: node.place) }
        return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
}

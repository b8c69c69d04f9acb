import Base
import KafkaConnection

/// The metadata file's text: a line per fact, readable by a person, closed by a checksum over all that stands before it.
///
///     millrace metadata 1
///     cluster 4L6g3nShT-eMCtK--X86sw
///     leader-epoch 3
///     next-producer-id 2000
///     topic nginx.access 9hD0pXbPQ0yWIT0t2ZtQxA 4
///     setting retention.ms 86400000
///     deleting old 7bF0pXbPQ0yWIT0t2ZtQxA 1
///     user alice SCRAM-SHA-512 4096 SALT STORED-KEY SERVER-KEY
///     crc32c 0f5a2b91
///
/// A `setting` belongs to the topic above it. Values stand percent-escaped, so that a line stays a line; bytes in hexadecimal digits.
enum MetadataText {
    static let firstLine = "millrace metadata 1"

    static func encode(_ metadata: ClusterMetadata) -> [UInt8] {
        var lines = [
            firstLine, "cluster \(escape(metadata.clusterID))", "leader-epoch \(metadata.leaderEpoch)",
            "next-producer-id \(metadata.nextProducerID)",
        ]
        for topic in metadata.topics.values.sorted(by: { $0.name < $1.name }) {
            lines.append("topic \(topic.name) \(topic.id) \(topic.partitionCount)")
            for (name, value) in topic.settings.sorted(by: { $0.key < $1.key }) {
                lines.append("setting \(escape(name)) \(escape(value))")
            }
        }
        for topic in metadata.deletions.values.sorted(by: { $0.name < $1.name }) {
            lines.append("deleting \(topic.name) \(topic.id) \(topic.partitionCount)")
        }
        for (name, credentials) in metadata.users.sorted(by: { $0.key < $1.key }) {
            for credential in credentials.values.sorted(by: { $0.mechanism.rawValue < $1.mechanism.rawValue }) {
                let bytes = [credential.salt, credential.storedKey, credential.serverKey].map(hex).joined(
                    separator: " ")
                lines.append("user \(escape(name)) \(credential.mechanism.name) \(credential.iterations) \(bytes)")
            }
        }
        return ChecksummedText.seal(lines)
    }

    static func decode(_ bytes: [UInt8]) throws(ChecksummedText.Damage) -> ClusterMetadata {
        var lines = try ChecksummedText.open(bytes, firstLine: firstLine)[...]
        let clusterID = try value(of: "cluster", in: &lines)
        guard let epoch = Int32(try value(of: "leader-epoch", in: &lines)),
            let nextProducerID = Int64(try value(of: "next-producer-id", in: &lines))
        else { throw .init("a counter is not a number") }

        var topics: [ClusterMetadata.Topic] = []
        var deletions: [ClusterMetadata.Topic] = []
        var users: [String: [ScramMechanism: ScramCredential]] = [:]
        for line in lines {
            let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            switch (words.first, words.count) {
            case ("topic", 4): topics.append(try topic(words))
            case ("deleting", 4): deletions.append(try topic(words))
            case ("setting", 3) where !topics.isEmpty:
                topics[topics.count - 1].settings[unescape(words[1])] = unescape(words[2])
            case ("user", 7):
                let credential = try credential(words)
                users[unescape(words[1]), default: [:]][credential.mechanism] = credential
            default: throw .init("not understood: \(line)")
            }
        }
        return ClusterMetadata(
            clusterID: clusterID, leaderEpoch: LeaderEpoch(epoch), nextProducerID: ProducerID(nextProducerID),
            topics: topics, deletions: deletions, users: users)
    }

    private static func credential(_ words: [String]) throws(ChecksummedText.Damage) -> ScramCredential {
        guard let mechanism = ScramMechanism.allCases.first(where: { $0.name == words[2] }),
            let iterations = Int(words[3]), let salt = bytes(words[4]), let storedKey = bytes(words[5]),
            let serverKey = bytes(words[6])
        else { throw .init("not a user: \(words[1])") }
        return ScramCredential(
            mechanism: mechanism, iterations: iterations, salt: salt, storedKey: storedKey, serverKey: serverKey)
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func bytes(_ hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[place...place + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }

    private static func value(of key: String, in lines: inout ArraySlice<String>) throws(ChecksummedText.Damage)
        -> String
    {
        guard let line = lines.popFirst(), line.hasPrefix(key + " ") else { throw .init("no line '\(key)'") }
        return unescape(String(line.dropFirst(key.count + 1)))
    }

    private static func topic(_ words: [String]) throws(ChecksummedText.Damage) -> ClusterMetadata.Topic {
        guard let id = TopicID(words[2]), let count = Int32(words[3]), count > 0 else {
            throw .init("not a topic: \(words.joined(separator: " "))")
        }
        return ClusterMetadata.Topic(name: words[1], id: id, partitionCount: count)
    }

    static func escape(_ text: String) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            if byte <= 0x20 || byte == UInt8(ascii: "%") || byte == 0x7f {
                out.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 0xf] { out.append(Array("0123456789abcdef".utf8)[Int(digit)]) }
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func unescape(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "%"), place + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[(place + 1)...(place + 2)], as: UTF8.self), radix: 16)
            {
                out.append(byte)
                place += 3
            } else {
                out.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// Lines of text closed by `crc32c XXXXXXXX`, the sum of every byte before that line.
enum ChecksummedText {
    struct Damage: Error, Sendable, Equatable {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    static func seal(_ lines: [String]) -> [UInt8] {
        let body = Array(lines.map { $0 + "\n" }.joined().utf8)
        return body + Array(seal(of: body[...]).utf8)
    }

    private static func seal(of body: ArraySlice<UInt8>) -> String {
        let sum = String(CRC32C.checksum(body), radix: 16)
        return "crc32c \(String(repeating: "0", count: 8 - sum.count))\(sum)\n"
    }

    /// The lines between the first and the checksum.
    static func open(_ bytes: [UInt8], firstLine: String) throws(Damage) -> [String] {
        let sealBytes = "crc32c 00000000\n".utf8.count
        guard bytes.count > sealBytes else { throw Damage("only \(bytes.count) bytes long") }
        let body = bytes.dropLast(sealBytes)
        let seal = String(decoding: bytes.suffix(sealBytes), as: UTF8.self)
        guard seal.hasPrefix("crc32c ") else { throw Damage("the checksum at its end is missing") }
        guard seal == Self.seal(of: body) else { throw Damage("its checksum does not match") }
        let lines = String(decoding: body, as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.first == firstLine else {
            throw Damage("it begins with '\(lines.first ?? "")', expected '\(firstLine)'")
        }
        return Array(lines.dropFirst())
    }
}

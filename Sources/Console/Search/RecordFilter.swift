import Base
import Events
import NIOCore
import Records

#if canImport(Glibc)
    import Glibc
#endif

/// Which records a search or a tail shows.
struct RecordFilter: Sendable {
    var key: [UInt8]?
    var contains: [UInt8] = []
    var condition: Expression?
    var parser: DisplayParser

    var isOpen: Bool { key == nil && contains.isEmpty && condition == nil }

    init(_ request: Request, topic: String) throws(RequestError) {
        let name = request.text("parse") ?? "auto"
        guard let kind = DisplayParser.Kind(rawValue: name) else {
            throw RequestError(.badRequest, "parse=\(name): auto, nginx, json, journal or raw")
        }
        parser = DisplayParser(kind: kind, topic: topic)
        key = request.text("key").map { Array($0.utf8) }
        contains = Array((request.text("contains") ?? "").utf8)
        guard let text = request.text("where") else { return }
        do { condition = try Expression(text) } catch {
            throw RequestError(.badRequest, "\(error)")
        }
    }

    func accepts(_ record: Record, partition: Int32) -> Bool {
        if let key {
            guard let own = record.key, own.readableBytesView.elementsEqual(key) else { return false }
        }
        guard !contains.isEmpty || condition != nil else { return true }
        let value = record.value ?? ByteBuffer()
        return value.withUnsafeReadableBytes { bytes in
            if !contains.isEmpty, !Self.holds(bytes, contains) { return false }
            guard let condition else { return true }
            let hash = RecordHash.of(partition: partition, offset: record.offset.rawValue)
            return condition.matches(parser.event(bytes), recordHash: hash)
        }
    }

    private static func holds(_ bytes: UnsafeRawBufferPointer, _ part: [UInt8]) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        var place = 0
        while place + part.count <= bytes.count {
            guard let found = memchr(base + place, CInt(part[0]), bytes.count - part.count - place + 1) else {
                return false
            }
            place = UnsafeRawPointer(found) - base
            if bytes[place..<(place + part.count)].elementsEqual(part) { return true }
            place += 1
        }
        return false
    }
}

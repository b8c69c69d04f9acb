import Base
import SystemPackage
import Testing

@testable import LogStorage

/// `durable-point`: never beyond what is on the disk, and read whatever a crash made of it.
struct DurablePointTests {
    @Test func itIsRaisedByFlushesAndLoweredByCuts() throws {
        let machine = Machine(.fsync)
        let log = try machine.log()
        func stored() throws -> Offset? {
            try DurablePoint(Folder("/data/t-0"), machine.disk, topicID: topicID).load()
        }
        #expect(try stored() == .zero)
        for number in 0..<10 { try log.add(["\(number)"]) }
        #expect(try stored() == .zero)
        _ = try log.flush()
        #expect(try stored() == Offset(10))
        try log.truncate(to: Offset(4))
        #expect(try stored() == Offset(4))
        machine.crash(.dropUnsynced)
        #expect(try stored() == Offset(4))
        #expect(try machine.log().logEndOffset == Offset(4))
        let other = DurablePoint(Folder("/data/t-0"), machine.disk, topicID: TopicID(high: 1, low: 1))
        #expect(try other.load() == nil)
    }

    /// 64 bytes at a time, in turn: whatever a torn write leaves, the older point stands.
    @Test func aTornSlotLeavesTheOlderOne() throws {
        let machine = Machine(.fsync)
        let log = try machine.log()
        for number in 0..<5 {
            try log.add(["\(number)"])
            _ = try log.flush()
        }
        let file = FilePath("/data/t-0/durable-point")
        let bytes = try machine.disk.contents(of: file, bytesMax: .kib(4))!
        #expect(bytes.count == DurablePoint.fileBytes)
        let newest = DurablePoint.slots(in: bytes).map(\.offset.rawValue).max()
        #expect(newest == 5 && DurablePoint.slots(in: bytes).map(\.offset.rawValue).min() == 4)
        for place in bytes.indices {
            var torn = bytes
            torn[place] ^= 0x10
            let slots = DurablePoint.slots(in: torn)
            #expect(slots.count >= 1 && slots.allSatisfy { [4, 5].contains($0.offset.rawValue) })
        }
    }
}

import Base
import Testing

@testable import Broker

@Suite struct ProducerIDAllocatorTests {
    @Test func waitersShareOneBlockAndGetIdsInTheirOrder() {
        var allocator = ProducerIDAllocator<String>(blockSize: 2)
        #expect(allocator.idWanted(by: "a") == [.takeBlock(count: 2)])
        #expect(allocator.idWanted(by: "b") == [])
        #expect(allocator.idWanted(by: "c") == [])
        #expect(
            allocator.blockTaken(10..<12)
                == [.answer("a", ProducerID(10)), .answer("b", ProducerID(11)), .takeBlock(count: 2)])
        #expect(allocator.blockTaken(12..<14) == [.answer("c", ProducerID(12))])
        #expect(allocator.idWanted(by: "d") == [.answer("d", ProducerID(13))])
        #expect(allocator.idWanted(by: "e") == [.takeBlock(count: 2)])
    }

    @Test func aRefusedBlockFailsTheWaitersAndIsAskedForAgainByTheNext() {
        var allocator = ProducerIDAllocator<String>(blockSize: 2, waitersMax: 2)
        #expect(allocator.idWanted(by: "a") == [.takeBlock(count: 2)])
        #expect(allocator.idWanted(by: "b") == [])
        #expect(allocator.idWanted(by: "one too many") == [.fail("one too many")])
        #expect(allocator.blockRefused() == [.fail("a"), .fail("b")])
        #expect(allocator.idWanted(by: "c") == [.takeBlock(count: 2)])
    }
}

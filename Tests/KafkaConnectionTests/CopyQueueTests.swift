import Base
import NIOCore
import SystemPackage
import TestKit
import Testing

@testable import KafkaConnection

@Suite struct CopyQueueTests {
    private func file(_ bytes: [UInt8]) throws -> any File {
        let file = try SimulatedFileSystem().open(FilePath("/f"), .create)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        return file
    }

    @Test func aFileIsGivenInPiecesAndInOrder() throws {
        let bytes = (0..<(2 * CopyQueue.pieceBytes + 7)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let file = try file(bytes)
        var queue = CopyQueue()
        #expect(queue.isEmpty)
        queue.append(.bytes(ByteBuffer(string: "head")))
        queue.append(.file(FileSlice(file: file, position: 1, byteCount: bytes.count - 1)))
        queue.append(.bytes(ByteBuffer(string: "tail")))
        var all: [UInt8] = []
        var pieces: [Int] = []
        while let part = queue.next() {
            pieces.append(part.byteCount)
            switch part {
            case .bytes(let buffer): all += Array(buffer: buffer)
            case .file(let piece): all += Array(buffer: try piece.contents(allocator: ByteBufferAllocator()).get())
            }
        }
        #expect(pieces == [4, CopyQueue.pieceBytes, CopyQueue.pieceBytes, 6, 4])
        #expect(all == Array("head".utf8) + bytes.dropFirst() + Array("tail".utf8))
        #expect(queue.isEmpty)
    }

    @Test func aFileThatEndedEarlyIsNotPadded() throws {
        let slice = FileSlice(file: try file([1, 2, 3]), position: 1, byteCount: 5)
        #expect(throws: TransportFailure.self) { try slice.contents(allocator: ByteBufferAllocator()).get() }
    }
}

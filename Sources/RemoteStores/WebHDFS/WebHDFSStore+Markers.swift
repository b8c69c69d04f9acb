import Base
public import Exports

extension WebHDFSStore {
    private static let markerTriesMax = 3

    private func markerPath(_ folder: String, _ table: String) -> String {
        publishedPath("\(folder)/\(HourMarker.fileName)", of: table)
    }

    public func marker(in folder: String, of table: String) async throws(ExportError) -> HourMarker? {
        let path = markerPath(folder, table)
        guard let bytes = try await client.read(path, length: HourMarker.bytesMax.bytes) else { return nil }
        return try HourMarker(encoded: bytes, at: client.name(path))
    }

    /// HDFS renames onto no file that stands: the old marker is deleted first, so for a moment the folder isn't said to be final, which it isn't.
    public func writeMarker(_ marker: HourMarker) async throws(ExportError) -> Bool {
        let path = markerPath(marker.folder, marker.table)
        guard try await client.status(publishedPath(marker.folder, of: marker.table)) != nil else { return false }
        let folder = "/\(ChainPaths.top)/\(marker.pipeline)/\(marker.table)/markers"
        let bytes = marker.encoded()
        try await makeFolder(folder)
        let temporary = try await uploadWhole(.bytes(bytes), length: Int64(bytes.count), below: folder)
        // A rename that was sent earlier may take effect between the two.
        for _ in 0..<Self.markerTriesMax {
            try await client.delete(path)
            if try await client.rename(temporary, to: path) { return true }
        }
        try await client.delete(temporary)
        // Another owner put its own there meanwhile, or the folder went.
        throw ExportError(.store, "\(client.name(path)) was not written: something stands there, or its folder is gone")
    }
}

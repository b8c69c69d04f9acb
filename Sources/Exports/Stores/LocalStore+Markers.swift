import Base
import SystemPackage

extension LocalStore {
    private func markerPath(_ folder: String, _ table: String) -> FilePath {
        FilePath("\(tableFolder(table))/\(folder)/\(HourMarker.fileName)")
    }

    public func marker(in folder: String, of table: String) throws(ExportError) -> HourMarker? {
        let path = markerPath(folder, table)
        let bytes = try attempting { () throws(FileError) in
            try fileSystem.contents(of: path, bytesMax: HourMarker.bytesMax)
        }
        guard let bytes else { return nil }
        return try HourMarker(encoded: bytes, at: path.string)
    }

    /// A whole, synced file beside the chains, renamed over the one that stands: two owners may do it at once.
    public func writeMarker(_ marker: HourMarker) throws(ExportError) -> Bool {
        let path = markerPath(marker.folder, marker.table)
        let folder = root.pushing(FilePath("\(ChainPaths.top)/\(marker.pipeline)/\(marker.table)"))
        let temporary = folder.appending("marker-\(KafkaUUID.random()).tmp")
        return try attempting { () throws(FileError) in
            guard try fileSystem.exists(path.removingLastComponent()) else { return false }
            try makeDurable(folder.string)
            try write(marker.encoded(), to: temporary)
            do throws(FileError) { try fileSystem.rename(temporary, to: path) } catch {
                // Somebody removed the folder meanwhile.
                guard error.code == .noSuchFile else { throw error }
                try unlinkIfThere(temporary)
                return false
            }
            try fileSystem.syncDirectory(path.removingLastComponent())
            return true
        }
    }
}

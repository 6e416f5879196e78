using System.Text.Json;
using System.Text.Json.Serialization;
using CredBroker.Abstractions;
using Microsoft.Extensions.Logging;

namespace CredBroker.EntityFrameworkCore.Quarantine;

/// <summary>What a node has seen committed, outside the database: by it an older copy of the database is recognised for what it is.</summary>
/// <param name="Epoch">The database's epoch.</param>
/// <param name="Writer">The incarnation of this node's writer.</param>
/// <param name="Commits">How many commits of it there were.</param>
/// <param name="At">When this was noted.</param>
internal sealed record WitnessNote(string Epoch, string Writer, long Commits, DateTimeOffset At);

/// <summary>
/// The file that holds the note, replaced whole: a note is written after the commit that it tells of, so that it is never ahead of the database that made it. It lags
/// behind by a second at most.
/// </summary>
internal sealed partial class Witness(string path, TimeProvider time, ILogger<Witness> logger)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private long? _written;
    private WitnessNote? _last;
    private bool _failing;

    /// <summary>Whether there is such a file at all.</summary>
    public bool Kept => path.Length > 0;

    /// <summary>The note; null where there is none, or it cannot be read.</summary>
    public (bool Exists, WitnessNote? Note) Read()
    {
        if (path.Length == 0 || !File.Exists(path)) return (false, null);
        try
        {
            return (true, JsonSerializer.Deserialize(File.ReadAllBytes(path), WitnessJson.Default.WitnessNote));
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            LogUnreadable(logger, path, e);
            return (true, null);
        }
    }

    /// <summary>This was committed. Written now if it <paramref name="must"/> be or the last note is old enough.</summary>
    public void Saw(Uid epoch, Uid writer, long commits, bool must)
    {
        if (path.Length == 0) return;
        _last = new WitnessNote(epoch.ToString(), writer.ToString(), commits, time.GetUtcNow());
        if (must || _written is not { } written || time.GetElapsedTime(written) >= Every) Flush();
    }

    /// <summary>Writes what is not written yet.</summary>
    public void Flush()
    {
        if (path.Length == 0 || _last is not { } note) return;
        try
        {
            var next = path + ".next";
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(next, options))
            {
                JsonSerializer.Serialize(file, note, WitnessJson.Default.WitnessNote);
                file.Flush(flushToDisk: true);
            }

            File.Move(next, path, overwrite: true);
            (_last, _written, _failing) = (null, time.GetTimestamp(), false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The database is what counts: without a note a restore shows later, by the targets' marks.
            if (!_failing) LogNotWritten(logger, path, e);
            (_written, _failing) = (time.GetTimestamp(), true);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The witness {Path} cannot be read: the database is taken for one that was restored")]
    private static partial void LogUnreadable(ILogger logger, string path, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The witness {Path} cannot be written: a restored backup would not be recognised by it")]
    private static partial void LogNotWritten(ILogger logger, string path, Exception error);
}

[JsonSerializable(typeof(WitnessNote))]
internal sealed partial class WitnessJson : JsonSerializerContext;

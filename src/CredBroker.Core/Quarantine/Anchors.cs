using System.Collections.Concurrent;
using CredBroker.Abstractions;
using CredBroker.Core.Issuance;
using CredBroker.Core.Leases;
using CredBroker.Core.Providers;
using CredBroker.Core.Registry;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Quarantine;

/// <summary>
/// Keeps at each target that can hold it a note of what was committed, and reads it back: a node that has no file and no memory recognises a restored database by it. Until a target's note
/// was read once, nothing of that provider is revoked on the word of stored time. A note that is missing or forged is an alarm at most: it neither lifts a quarantine nor begins one.
/// A strange one is a restore's sign only at a process's first look; later it is another broker that writes there as this installation, which is an alarm too.
/// </summary>
public sealed partial class Anchors(IQuarantineStore store, ProviderPool pool, Catalog catalog, AnchorNotes notes, Signals signals, ILogger<Anchors> logger, TimeProvider time)
{
    /// <summary>How often a note is written.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan SoonAgain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<Uid, bool> _read = new();
    private readonly ConcurrentDictionary<Uid, bool> _asking = new();
    private readonly ConcurrentDictionary<Uid, string> _told = new();
    private readonly ConcurrentDictionary<(Uid Provider, string TargetIdentity), bool> _looked = new();
    private readonly ConcurrentDictionary<Uid, DateTimeOffset> _strange = new();
    private volatile HashSet<Uid> _older = [];

    /// <summary>Reads what can be read now, before anything is looked for that is due. A target that does not answer is asked again by the looks that follow.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _older = [.. (await catalog.RefreshAsync(cancellationToken)).Providers.Values.Where(provider => provider.Entry.TargetIdentity.Length > 0).Select(provider => provider.Uid)];
        await LookAsync(cancellationToken);
    }

    /// <summary>Since when strange notes are written at targets while this process runs, by provider: another broker runs as this installation.</summary>
    public IReadOnlyDictionary<Uid, DateTimeOffset> Strange => _strange;

    /// <summary>Whether a provider's note is still to be read: what is due by time alone waits for that. One that came after the start has no older note.</summary>
    public bool Holds(Uid provider) => _older.Contains(provider) && !_read.ContainsKey(provider) && catalog.Current.TryFindProvider(provider, out var registered) && registered.Entry is { DeletedAt: null, TargetIdentity.Length: > 0 } && IsAble(provider);

    /// <summary>Reads and writes every note once. Answers when to do so next.</summary>
    public async Task<DateTimeOffset> LookAsync(CancellationToken cancellationToken)
    {
        var providers = (await catalog.RefreshAsync(cancellationToken)).Providers.Values.Where(provider => provider.Entry.TargetIdentity.Length > 0).ToList();
        await Task.WhenAll(providers.Select(provider => OneAsync(provider, cancellationToken)));
        return time.Now() + (providers.Exists(provider => Holds(provider.Uid)) ? SoonAgain : Every);
    }

    private async Task OneAsync(Registered<ProviderSpec> provider, CancellationToken cancellationToken)
    {
        // One that hangs holds up only itself, and is not asked a second time while it does.
        if (!IsAble(provider.Uid) || !_asking.TryAdd(provider.Uid, true)) return;
        using var patience = new Patience(Patience, time);
        var asking = AskAsync(provider, cancellationToken);
        try
        {
            await patience.WaitAsync(asking, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException || cancellationToken.IsCancellationRequested)
        {
            Tell(provider, "It does not answer.");
        }
    }

    private async Task<bool> AskAsync(Registered<ProviderSpec> provider, CancellationToken cancellationToken)
    {
        try
        {
            await using var use = pool.Acquire(provider.Uid);
            if (use.Provider is IAnchoringProvider able) await ReadAndWriteAsync(provider, able, cancellationToken);
            return true;
        }
        catch (StoreUnavailableException e)
        {
            Tell(provider, e.Message);
            return false;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            var error = ProviderWords.Unexpected(e);
            Tell(provider, $"{error.Fault}: {ProviderWords.Clean(error.Message)}");
            return false;
        }
        finally
        {
            _asking.TryRemove(provider.Uid, out _);
        }
    }

    private async Task ReadAndWriteAsync(Registered<ProviderSpec> provider, IAnchoringProvider able, CancellationToken cancellationToken)
    {
        var look = await able.ReadAnchorAsync(cancellationToken);
        // What another target says is about another's leases, and nothing of ours can be revoked there: that is shown by the attempts.
        if (look.TargetIdentity != provider.Entry.TargetIdentity)
        {
            if (_read.TryAdd(provider.Uid, true)) signals.Set();
            return;
        }

        var note = notes.Read(provider.Uid, look.Text);
        if (note is null && look.Text is not null) LogForged(logger, provider.Name);
        var standing = note is null ? NoteStanding.Known : await store.WeighAsync(note, cancellationToken);
        var (place, strange) = ((provider.Uid, look.TargetIdentity), standing == NoteStanding.Strange);
        if (strange && _looked.ContainsKey(place))
        {
            // Two that took each other for a restore would quarantine each other for ever; and who overwrites it hides it.
            if (_strange.TryAdd(provider.Uid, time.Now())) LogSecond(logger, provider.Name);
            return;
        }

        _strange.TryRemove(provider.Uid, out _);
        if (standing != NoteStanding.Known && await store.StartIfLackingAsync(note!, $"the anchor at {provider.Name}", cancellationToken)) await catalog.RefreshAsync(cancellationToken);
        _looked.TryAdd(place, true);
        if (_read.TryAdd(provider.Uid, true)) signals.Set();
        if (await store.ReadLatestAsync(cancellationToken) is not { } latest) return;
        // Never back, within an epoch: whichever node knows more has written more.
        if (note is not null && note.Epoch == latest.Epoch && (note.Writer == latest.Writer ? note.Commits >= latest.Commits : note.At > latest.At)) return;
        await able.ReplaceAnchorAsync(look.Text, notes.Write(provider.Uid, latest), cancellationToken);
        _told.TryRemove(provider.Uid, out _);
    }

    private bool IsAble(Uid provider)
    {
        try
        {
            var use = pool.Acquire(provider);
            var able = use.Provider is IAnchoringProvider;
            _ = use.DisposeAsync().AsTask();
            return able;
        }
        catch (Exception)
        {
            // Whatever hinders one from being made shows wherever it is used, and hinders no other.
            return false;
        }
    }

    private void Tell(Registered<ProviderSpec> provider, string why)
    {
        if (_told.TryAdd(provider.Uid, why)) LogFailed(logger, provider.Name, why);
    }

    [LoggerMessage(EventId = 1701, Level = LogLevel.Error, Message = "The anchor of provider {Provider} carries a note that this installation did not write. It is not believed, and is written anew: see who may comment on roles there")]
    private static partial void LogForged(ILogger logger, string provider);

    [LoggerMessage(EventId = 1703, Level = LogLevel.Error, Message = "The anchor of provider {Provider} carries a note of another broker that runs as this installation, with its key and another database, such as a restore drill that reaches this target. It is left as it is. Stop that broker, then remove the note (postgresql: DROP ROLE cba_...) before any node here starts anew: a start takes it for the sign of a restore")]
    private static partial void LogSecond(ILogger logger, string provider);

    [LoggerMessage(EventId = 1702, Level = LogLevel.Warning, Message = "The anchor of provider {Provider} cannot be read or written: {Why} A restored database is not recognised by it until that is mended")]
    private static partial void LogFailed(ILogger logger, string provider, string why);
}

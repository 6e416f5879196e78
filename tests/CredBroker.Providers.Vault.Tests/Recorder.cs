using CredBroker.Abstractions;

namespace CredBroker.Providers.Vault.Tests;

/// <summary>A journal that remembers what was put on record.</summary>
internal sealed class Recorder : IIssueJournal
{
    public List<Handle> Handles { get; } = [];

    public static Recorder Of() => new();

    public Task<bool> RecordAsync(Handle handle, CancellationToken cancellationToken)
    {
        Handles.Add(handle);
        return Task.FromResult(true);
    }
}

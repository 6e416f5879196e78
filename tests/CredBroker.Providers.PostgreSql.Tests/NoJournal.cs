using CredBroker.Abstractions;

namespace CredBroker.Providers.PostgreSql.Tests;

/// <summary>A login takes one step: nothing is journalled half-way.</summary>
internal sealed class NoJournal : IIssueJournal
{
    public static NoJournal Instance { get; } = new();

    public Task<bool> RecordAsync(Handle handle, CancellationToken cancellationToken) => throw new AssertionException("Nothing is journalled.");
}

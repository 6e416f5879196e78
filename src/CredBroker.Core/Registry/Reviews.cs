using CredBroker.Abstractions;

namespace CredBroker.Core.Registry;

/// <summary>
/// What it means that a review is overdue: nothing new comes by it. An identity source's workloads open no task and get no credential, a provider and a
/// role issue none, a policy set's permits grant none. Whatever ends something goes on: ends and revocations, a hook's signals, forbids; and so does
/// administering, for somebody must move the date.
/// </summary>
internal static class Reviews
{
    /// <summary>The refusal of something new from workloads of this source; null when its review is not overdue.</summary>
    public static BrokerError? OverdueOf(RegistrySnapshot snapshot, Uid source, DateTimeOffset now) =>
        snapshot.IdentitySources.FirstOrDefault(candidate => candidate.Uid == source) is { } found && found.Spec.ReviewBy <= now ? Overdue($"identitySources/{found.Name}") : null;

    /// <summary>The refusal of something new.</summary>
    public static BrokerError Overdue(string what) => new(Reasons.ReviewOverdue, $"The review of {what} is overdue: its owner must look at it and move review_by.");
}

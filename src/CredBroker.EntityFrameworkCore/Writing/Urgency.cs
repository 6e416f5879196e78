namespace CredBroker.EntityFrameworkCore.Writing;

/// <summary>What is written first when there is more to write than can be: what has happened at a target, then what takes rights away, and last what gives new ones.</summary>
internal enum Urgency
{
    /// <summary>An answer of a provider: activated, recorded, settled. Unwritten, a credential that exists would have to be revoked.</summary>
    Settle,

    /// <summary>An end, a revocation, a suspension, and the claims that follow from them.</summary>
    End,

    /// <summary>A sign of life, a renewal: unwritten, work that goes on would be ended.</summary>
    Renew,

    /// <summary>Whatever is new: refused when it would wait for too long.</summary>
    New,

    /// <summary>What is in no hurry.</summary>
    Later,
}

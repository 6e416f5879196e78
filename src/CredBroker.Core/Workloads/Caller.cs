using System.Net;
using CredBroker.Core.Audit;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Workloads;

/// <summary>Who calls, from where: an attested identity and the workload that it is known as.</summary>
/// <param name="Identity">What its token proves.</param>
/// <param name="Workload">Who that is here.</param>
/// <param name="SourceIp">The address that the call came from, as the listener vouches for it.</param>
/// <param name="IsRoot">Whether it is the operator's root, which administers by code and not by policy.</param>
public sealed record Caller(AttestedIdentity Identity, Workload Workload, IPAddress SourceIp, bool IsRoot)
{
    /// <summary>As the audit trail names it.</summary>
    public Actor Actor => new("workload", Workload.Name);
}

/// <summary>The operator's root, as the configuration names it.</summary>
/// <param name="IdentitySource">The name of an identity source of the operator's.</param>
/// <param name="Subject">The subject there.</param>
public sealed record OperatorRoot(string IdentitySource, string Subject);

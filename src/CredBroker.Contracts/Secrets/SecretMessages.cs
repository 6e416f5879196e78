using Google.Protobuf;

namespace CredBroker.Contracts.V1;

/// <summary>A credential never prints itself: not in logs of gRPC or of ours, not in a debugger, not in an exception.</summary>
public sealed partial class CredentialField : ICustomDiagnosticMessage
{
    /// <summary>The media type alone.</summary>
    public string ToDiagnosticString() => "***";
}

/// <summary>The answer with the secret never prints it. Its map of fields, printed alone, does: the library's map asks no message how it wants to be shown.</summary>
public sealed partial class IssueLeaseResponse : ICustomDiagnosticMessage
{
    /// <summary>The lease's name alone.</summary>
    public string ToDiagnosticString() => $"{Lease?.Name} with ***";
}

/// <summary>The answer that can hold a secret never prints it.</summary>
public sealed partial class RenewLeaseResponse : ICustomDiagnosticMessage
{
    /// <summary>The lease's name alone.</summary>
    public string ToDiagnosticString() => $"{Lease?.Name} with ***";
}

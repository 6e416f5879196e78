using CredBroker.Contracts.V1;
using CredBroker.Core.Quarantine;
using CredBroker.Core.Reconciliation;
using Found = CredBroker.Contracts.V1.Ailment;
using Finding = CredBroker.Contracts.V1.ReconciliationFinding;
using Mode = CredBroker.Contracts.V1.Provider.Types.Reconciliation;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>What operators see, between the contract and the domain.</summary>
internal static class OperationsMapping
{
    public static Reconciliation ToProto(this ReconciliationStatus status, string name, DateTimeOffset now)
    {
        var last = status.Last;
        return new Reconciliation
        {
            Name = name,
            StartTime = last?.StartedAt.ToProto(),
            EndTime = last?.EndedAt.ToProto(),
            Complete = last?.Complete ?? false,
            Error = last?.Error ?? "",
            CompleteTime = status.CompleteAt.ToProto(),
            DueTime = status.DueAt == default ? null : status.DueAt.ToProto(),
            Running = status.RunningUntil > now,
            ListedCount = last?.Listed ?? 0,
            ComparedCount = last?.Compared ?? 0,
            OtherInstallationsCount = last?.OtherInstallations ?? 0,
            ReappearedCount = last?.Reappeared ?? 0,
            MissingCount = last?.Missing ?? 0,
            UnknownCount = last?.Unknown ?? 0,
            ForgedCount = last?.Forged ?? 0,
            UnmarkedCount = last?.Unmarked ?? 0,
            ActedCount = last?.Acted ?? 0,
            Doubted = last?.TooManyMissing ?? false,
            Findings = { (last?.Findings ?? []).Select(finding => new Finding { Kind = finding.Kind.ToProto(), ExternalName = finding.ExternalName, Lease = finding.Lease.Length > 0 ? $"tasks/-/leases/{finding.Lease}" : "" }) },
        };
    }

    public static Finding.Types.Kind ToProto(this FindingKind kind) => kind switch
    {
        FindingKind.Reappeared => Finding.Types.Kind.Reappeared,
        FindingKind.Missing => Finding.Types.Kind.Missing,
        FindingKind.Unknown => Finding.Types.Kind.Unknown,
        FindingKind.Forged => Finding.Types.Kind.Forged,
        FindingKind.Unmarked => Finding.Types.Kind.Unmarked,
        _ => Finding.Types.Kind.Unspecified,
    };

    public static Found ToProto(this Core.Diagnosis.Ailment ailment) =>
        new() { Severity = ailment.Severity.ToProto(), Code = ailment.Code, Subject = ailment.Subject, What = ailment.What, Remedy = ailment.Remedy };

    public static Found.Types.Severity ToProto(this Core.Diagnosis.Severity severity) => severity switch
    {
        Core.Diagnosis.Severity.Notice => Found.Types.Severity.Notice,
        Core.Diagnosis.Severity.Warning => Found.Types.Severity.Warning,
        Core.Diagnosis.Severity.Critical => Found.Types.Severity.Critical,
        _ => Found.Types.Severity.Unspecified,
    };

    public static QuarantinedProvider ToProto(this Quarantined held) => new()
    {
        Provider = $"providers/{held.ProviderName}",
        Since = held.Since.ToProto(),
        Reason = held.Reason.ToProto(),
        UnprovenLeases = held.Unproven,
        OverdueLeases = held.Overdue,
        LocalLeases = held.Local,
    };

    public static QuarantinedProvider.Types.Reason ToProto(this QuarantineReason reason) => reason switch
    {
        QuarantineReason.Restored => QuarantinedProvider.Types.Reason.Restored,
        QuarantineReason.UnknownCredentials => QuarantinedProvider.Types.Reason.UnknownCredentials,
        QuarantineReason.ByHand => QuarantinedProvider.Types.Reason.ByHand,
        _ => QuarantinedProvider.Types.Reason.Unspecified,
    };

    public static Mode ToProto(this ReconciliationMode mode) => mode == ReconciliationMode.Sweep ? Mode.Sweep : Mode.Report;

    public static ReconciliationMode ToDomain(this Mode mode) => mode == Mode.Sweep ? ReconciliationMode.Sweep : ReconciliationMode.Report;
}

using Google.Protobuf.WellKnownTypes;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>Instants and durations between the contract and the domain, which keeps microseconds.</summary>
internal static class Times
{
    public static Timestamp? ToProto(this DateTimeOffset? time) => time?.ToTimestamp();

    public static Timestamp ToProto(this DateTimeOffset time) => time.ToTimestamp();

    public static Duration? ToProto(this TimeSpan? span) => span?.ToDuration();

    public static DateTimeOffset? ToDomain(this Timestamp? time) => time is null ? null : CredBroker.Core.Instants.Truncate(time.ToDateTimeOffset());

    public static TimeSpan? ToDomain(this Duration? span) => span?.ToTimeSpan();
}

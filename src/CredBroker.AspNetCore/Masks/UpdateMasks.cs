using CredBroker.Abstractions;
using CredBroker.AspNetCore.Errors;
using CredBroker.AspNetCore.Validation;
using CredBroker.Contracts;
using CredBroker.Contracts.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.AspNetCore.Masks;

/// <summary>Brings the named fields of a change into what is there (AIP-134, AIP-161).</summary>
public static class UpdateMasks
{
    /// <summary>The resource as it shall be.</summary>
    /// <param name="current">As it is.</param>
    /// <param name="change">What the caller sent.</param>
    /// <param name="mask">Which fields count; without one, those that are present; <c>*</c> for all.</param>
    /// <exception cref="Grpc.Core.RpcException">The mask names a field that isn't there or can't be changed, or the change would alter such a one.</exception>
    public static T Apply<T>(T current, T change, FieldMask? mask)
        where T : class, IMessage<T>, IDeepCloneable<T>
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(change);
        var paths = mask is null or { Paths.Count: 0 } ? Present(change) : mask.Paths.Contains("*") ? Changeable(current) : mask.Paths;
        var violations = paths.Select(path => Fault(current, change, path)).OfType<ValidationError>().ToList();
        if (violations.Count > 0)
            throw ErrorStatus.Exception(ErrorStatus.Error(ErrorReason.UpdateMaskInvalid, $"The update can't be made: {violations[0].Path}: {violations[0].Message}", violations));
        var result = current.Clone();
        foreach (var path in paths) Copy(change, result, path.Split('.'));
        return result;
    }

    private static IReadOnlyList<string> Present(IMessage change) =>
        [.. change.Descriptor.Fields.InDeclarationOrder().Where(field => IsChangeable(field) && IsSet(change, field)).Select(field => field.Name)];

    private static IReadOnlyList<string> Changeable(IMessage resource) =>
        [.. resource.Descriptor.Fields.InDeclarationOrder().Where(IsChangeable).Select(field => field.Name)];

    // The etag is a condition, and the name an address: neither is ever written.
    private static bool IsChangeable(FieldDescriptor field) =>
        !ContractDescriptors.IsOutputOnly(field) && !ContractDescriptors.IsImmutable(field) && field.Name is not ("etag" or "name");

    private static ValidationError? Fault(IMessage current, IMessage change, string path)
    {
        var descriptor = current.Descriptor;
        FieldDescriptor? field = null;
        foreach (var part in path.Split('.'))
        {
            field = descriptor?.FindFieldByName(part);
            if (field is null) return new("update_mask", $"There is no field {Printable.Quote(path)} that an update can name.");
            if (ContractDescriptors.IsOutputOnly(field)) return new("update_mask", $"{path} is set by the broker.");
            descriptor = field is { IsRepeated: false, FieldType: FieldType.Message } && field.MessageType.File.Package == descriptor!.File.Package ? field.MessageType : null;
        }

        if (!ContractDescriptors.IsImmutable(field!)) return null;
        return Equals(field!.Accessor.GetValue(current), field.Accessor.GetValue(change)) ? null : new(path, "It can't be changed after creation.");
    }

    private static void Copy(IMessage from, IMessage to, ReadOnlySpan<string> path)
    {
        var field = to.Descriptor.FindFieldByName(path[0]);
        if (path.Length == 1)
        {
            CopyWhole(field, from, to);
            return;
        }

        var target = (IMessage?)field.Accessor.GetValue(to) ?? field.MessageType.Parser.ParseFrom(ByteString.Empty);
        field.Accessor.SetValue(to, target);
        Copy((IMessage?)field.Accessor.GetValue(from) ?? field.MessageType.Parser.ParseFrom(ByteString.Empty), target, path[1..]);
    }

    private static void CopyWhole(FieldDescriptor field, IMessage from, IMessage to)
    {
        field.Accessor.Clear(to);
        var value = field.Accessor.GetValue(from);
        if (field.IsMap)
        {
            var map = (System.Collections.IDictionary)field.Accessor.GetValue(to);
            foreach (System.Collections.DictionaryEntry entry in (System.Collections.IDictionary)value) map[entry.Key] = entry.Value;
        }
        else if (field.IsRepeated)
        {
            var list = (System.Collections.IList)field.Accessor.GetValue(to);
            foreach (var item in (System.Collections.IList)value) list.Add(item);
        }
        else if (value is not null)
        {
            field.Accessor.SetValue(to, value);
        }
    }

    private static bool IsSet(IMessage message, FieldDescriptor field) => field.Accessor.GetValue(message) switch
    {
        null => false,
        System.Collections.ICollection collection => collection.Count > 0,
        string text => text.Length > 0,
        bool flag => flag,
        IMessage => true,
        var number => Convert.ToInt64(number, System.Globalization.CultureInfo.InvariantCulture) != 0,
    };
}
